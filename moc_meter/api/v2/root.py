# SPDX-License-Identifier: Apache-2.0
"""Which path and verb is answered by whom.

A table, instead of Pecan's walk along attributes: there a part of a path
could name any attribute, and ``?_method=`` or a last part like 'delete' would
stand for a verb.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pecan
import webob
from webob import exc

from moc_meter.api import negotiation
from moc_meter.api.v2.ingest import Ingest
from moc_meter.api.v2.meters import Meters
from moc_meter.api.v2.resources import Resources
from moc_meter.api.v2.samples import Samples
from moc_meter.api.v2.statistics import Statistics
from moc_meter.api.v2.versions import Versions

#: Verbs of one path.
Verbs = Mapping[str, Callable[..., Any]]


class Root:
    """The whole API."""

    def __init__(self, *, meters: Meters, samples: Samples,
                 resources: Resources, statistics: Statistics,
                 ingest: Ingest, versions: Versions) -> None:
        self._versions: Verbs = {'GET': versions.index}
        self._collections: Mapping[str, Verbs] = {
            'meters': {'GET': meters.index},
            'samples': {'GET': samples.index},
            'resources': {'GET': resources.index},
            'ingest': {'POST': ingest.post}}
        self._items: Mapping[str, Verbs] = {
            'meters': {'GET': meters.samples, 'POST': meters.post},
            'samples': {'GET': samples.show},
            'resources': {'GET': resources.show}}
        self._statistics: Verbs = {'GET': statistics.index}

    @pecan.expose()                     # type: ignore[untyped-decorator]
    def _route(self, _: list[str], request: webob.Request
               ) -> tuple[Callable[..., Any], list[str]]:
        """The controller of a request, and the parts of its path to it."""
        verbs, item = self._find(negotiation.path_parts(request))
        if request.method not in verbs:
            raise exc.HTTPMethodNotAllowed(
                f'{request.method} is not allowed here',
                headers={'Allow': ', '.join(sorted(verbs))})
        request.pecan['content_type'] = negotiation.content_type(request)
        return verbs[request.method], item

    def _find(self, parts: list[str]) -> tuple[Verbs, list[str]]:
        match parts:
            case []:
                return self._versions, []
            case ['v2', noun] if noun in self._collections:
                return self._collections[noun], []
            case ['v2', 'meters', name, 'statistics'] if name:
                return self._statistics, [name]
            case ['v2', 'resources', *item] if any(item):
                return self._items['resources'], ['/'.join(item)]
            case ['v2', noun, item] if noun in self._items and item:
                return self._items[noun], [item]
        raise exc.HTTPNotFound('There is nothing at this path')
