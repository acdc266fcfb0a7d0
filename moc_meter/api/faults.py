# SPDX-License-Identifier: Apache-2.0
"""What went wrong, as an HTTP answer: one shape for every fault.

    {"error_message": {"faultcode": "Client" or "Server",
                       "faultstring": TEXT, "debuginfo": null}}

or the same in XML where the request prefers that. A caller learns what is
wrong with the request; what is wrong with us stays in the log.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.etree import ElementTree

import webob
from pecan import hooks
from webob import exc

from moc_meter import errors
from moc_meter.api import edge, negotiation

LOG = logging.getLogger(__name__)

#: When a caller may try again what is retryable, in seconds.
LATER = {'Retry-After': '10'}
#: Longest text of a fault that is sent, in characters: it may quote input.
_LONGEST = 2000

#: Status by the stable code of an error; any other is a fault of ours.
STATUS: Mapping[str, int] = {
    errors.InvalidQuery.code: 400,
    errors.InvalidSample.code: 400,
    errors.NotAuthorized.code: 401,
    errors.Forbidden.code: 403,
    errors.NotFound.code: 404,
    errors.SampleConflict.code: 400,
    errors.SampleTooOld.code: 400,
    errors.BusUnavailable.code: 503,
    errors.StoreUnavailable.code: 503,
    errors.IdentityUnavailable.code: 503,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is said of a fault."""

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Faults(hooks.PecanHook):          # type: ignore[misc]
    """The one place where an exception becomes an answer."""

    def on_error(self, state: object, fault: Exception) -> webob.Response:
        request = state.request             # type: ignore[attr-defined]
        asked = f'{request.method} {request.environ.get("PATH_INFO", "")}'
        return response(answer(fault, asked),
                        negotiation.prefers_xml(request))


def answer(fault: Exception, request: str) -> Answer:
    """What to say of a fault; logs what is ours, once.

    request: verb and path, for the log.
    """
    if isinstance(fault, exc.HTTPException):
        return _of_http(fault)
    if isinstance(fault, errors.MeterError) and fault.code in STATUS:
        return _of_meter(fault, STATUS[fault.code], request)
    request_id = edge.request_id()
    LOG.error('request failed: request_id=%s request=%r', request_id, request,
              exc_info=fault)
    return Answer(status=500,
                  text='Internal error; the log of the service knows it as '
                       f'{request_id}')


def _of_http(fault: exc.HTTPException) -> Answer:
    kept = {name: value for name, value in fault.headers.items()
            if name == 'Allow'}
    return Answer(status=fault.status_int, text=fault.detail or fault.title,
                  headers=kept)


def _of_meter(fault: errors.MeterError, status: int, request: str) -> Answer:
    if status < 500:
        return Answer(status=status, text=str(fault))
    LOG.warning('request refused: request=%r code=%s reason=%r', request,
                fault.code, str(fault))
    return Answer(status=status, text=fault.message,
                  headers=LATER)


def response(said: Answer, xml: bool) -> webob.Response:
    """The answer in JSON, or in XML."""
    body = {'faultcode': 'Client' if said.status < 500 else 'Server',
            'faultstring': said.text[:_LONGEST], 'debuginfo': None}
    if xml:
        content = _xml(body)
    else:
        content = json.dumps({'error_message': body}).encode()
    made = webob.Response(
        body=content, status=said.status, charset=None,
        content_type=negotiation.XML if xml else negotiation.JSON)
    made.headers.update(said.headers)
    return made


def _xml(body: Mapping[str, str | None]) -> bytes:
    message = ElementTree.Element('error_message')
    error = ElementTree.SubElement(message, 'error')
    for name, value in body.items():
        ElementTree.SubElement(error, name).text = value
    return negotiation.sayable(ElementTree.tostring(message))
