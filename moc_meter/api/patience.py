# SPDX-License-Identifier: Apache-2.0
"""Requests that waited too long for their turn are told to come again.

Where more is asked than can be answered, requests queue. Who asked has given
up before a long queue has come to them, so answering everybody in turn would
answer nobody: all work would go into answers that no one waits for. So who
has waited too long gets a 503 at once, and the queue is short again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import webob

from moc_meter.api import faults, negotiation

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Environ = dict[str, Any]

#: Seconds that our own web server has kept a request waiting; in the
#: environment of the request.
WAITED = 'moc_meter.waited'
#: When a proxy had the request, in seconds since 1970: what nginx writes by
#: ``proxy_set_header X-Request-Start "t=${msec}"``.
_STARTED = re.compile(r'(?:t=)?(\d{1,12}(?:\.\d{1,9})?)', re.ASCII)


def patient(application: Application, patience: float, *, behind_proxy: bool,
            clock: Callable[[], float]) -> Application:
    """The application, for those who have not waited longer than patience.

    patience: in seconds.
    behind_proxy: whether X-Request-Start is believed, too.
    clock: seconds since 1970 now.
    """
    def answered(environ: Environ, start: Callable[..., Any]
                 ) -> Iterable[bytes]:
        waited = environ.get(WAITED, 0.0)
        if behind_proxy:
            waited = max(waited, _since_the_proxy(environ, clock))
        if waited <= patience:
            return application(environ, start)
        refused: Iterable[bytes] = faults.response(
            faults.Answer(
                status=503, headers=faults.LATER, text=(
                    f'This request waited {waited:.1f} seconds for its turn, '
                    f'and {patience:g} are allowed: more is asked of the '
                    'service than it can answer. Try again later')),
            negotiation.prefers_xml(webob.Request(environ)))(environ, start)
        return refused

    return answered


def _since_the_proxy(environ: Environ, clock: Callable[[], float]) -> float:
    said = _STARTED.fullmatch(environ.get('HTTP_X_REQUEST_START', ''))
    return clock() - float(said[1]) if said else 0.0
