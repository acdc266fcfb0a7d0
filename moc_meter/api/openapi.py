# SPDX-License-Identifier: Apache-2.0
"""The description of the API, at /openapi.json."""

from __future__ import annotations

import functools
import importlib.resources
from typing import Any

import pecan
import webob
import yaml

from moc_meter.api.negotiation import JSON
from moc_meter.api.v2 import types, writing


def document() -> dict[str, Any]:
    """OpenAPI 3.1, as it stands in openapi.yaml."""
    packaged = importlib.resources.files('moc_meter.api') / 'openapi.yaml'
    found: dict[str, Any] = yaml.safe_load(packaged.read_bytes())
    return found


class OpenApi:
    """/openapi.json, for everybody; JSON whatever else is preferred."""

    rule = None

    @functools.cached_property
    def _document(self) -> dict[str, Any]:
        # Not before it is asked for: to read it takes an eighth of a second.
        return document()

    @pecan.expose(content_type=None)    # type: ignore[untyped-decorator]
    def show(self, request: webob.Request,
             _: webob.Response) -> webob.Response:
        return writing.response(request, self._document, types.DOCUMENT, JSON,
                                200)

    show.rule = None
