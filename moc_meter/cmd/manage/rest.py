# SPDX-License-Identifier: Apache-2.0
"""Asking a running service by its REST API."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from moc_meter import errors
from moc_meter.cmd import credentials

_TIMEOUT = 60.0


def ask(url: str, path: str, body: str | None = None) -> Any:
    """What the service answers; None where it has no such thing.

    body: JSON to be posted; without it this is a GET.
    The variables OS_* say who asks.
    Raises InvalidQuery where it refuses, StoreUnavailable where it does not
    answer.
    """
    if not url.startswith(('http://', 'https://')):
        raise errors.InvalidConfiguration('not an http or https URL', url=url)
    request = urllib.request.Request(  # noqa: S310 - checked above
        url.rstrip('/') + path, data=body.encode() if body else None,
        headers={'Content-Type': 'application/json',
                 **credentials.headers()})
    try:
        with urllib.request.urlopen(  # noqa: S310 - checked above
                request, timeout=_TIMEOUT) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as fault:
        if fault.code == 404 and body is None:
            return None
        raise errors.InvalidQuery(
            'the service refused', url=url + path, status=fault.code,
            answer=fault.read(1000).decode(errors='replace')) from fault
    except OSError as fault:
        raise errors.StoreUnavailable(
            'the service does not answer; is it running there?', url=url,
            reason=str(fault)) from fault
