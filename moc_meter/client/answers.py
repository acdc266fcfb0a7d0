# SPDX-License-Identifier: Apache-2.0
"""What a service answered, or what went wrong, out of an HTTP answer."""

from __future__ import annotations

import datetime
import json
import re
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from moc_meter.client import faults, retry

if TYPE_CHECKING:
    # It is large; whoever has an answer has loaded it.
    import requests

_T = TypeVar('_T')
_FAULTS: dict[int, type[faults.ClientFault]] = {
    401: faults.Unauthorized, 403: faults.Forbidden, 404: faults.NotFound,
    409: faults.Conflict, **dict.fromkeys(retry.AGAIN, faults.Overloaded)}
#: Statuses that anything between us and a service may send as well.
_OF_OTHERS = (401, 403, 407, 413, 431)
#: The sentences in which the API names a field, and its value.
_FIELD = re.compile(r"(?:field/attribute (?P<field>\S+?)\. "
                    r"Value: '(?P<value>.*?)'\. )"
                    r'|Unknown argument: "(?P<unknown>[^"]+)"', re.DOTALL)
_NEXT = re.compile(r'<([^>]*)>\s*;\s*rel="?next"?')
#: Characters of an answer that is shown.
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service said.

    marker: where the list goes on; None where it does not.
    """

    document: Any
    marker: str | None = None


def read(response: requests.Response) -> Answer:
    """What it says; a ClientFault where it is no good answer of the API."""
    document = _document(response)
    if response.status_code >= 400:
        raise _fault(response, document)
    if response.status_code >= 300:
        raise faults.NotAnApi(
            'something else is to be asked', **_about(response),
            to=response.headers.get('Location'))
    if document is None:
        raise _not_an_api(response)
    return Answer(document, _marker(response.headers.get('Link', '')))


def made(answer: Answer, make: Callable[[Any], _T]) -> _T:
    """What is made of the JSON; NotAnApi where that is not of this API."""
    try:
        return make(answer.document)
    except (KeyError, TypeError, ValueError, ArithmeticError) as fault:
        raise faults.NotAnApi(
            'the answer is JSON, and none of this API',
            reason=f'{type(fault).__name__}: {fault}'[:_SHOWN]) from fault


def _document(response: requests.Response) -> Any:
    """The JSON of an answer; None where it is none."""
    try:
        return json.loads(response.content, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None


def _fault(response: requests.Response,
           document: Any) -> faults.ClientFault:
    status = response.status_code
    said = _said(document)
    if said is None and not (status >= 500 or status in retry.AGAIN
                             or status in _OF_OTHERS):
        return _not_an_api(response)
    kind = _FAULTS.get(status, faults.ServerFault if status >= 500
                       else faults.BadRequest)
    text = str((said or {}).get('faultstring') or response.reason)
    named = _FIELD.search(text)
    return kind(
        text, **_about(response),
        server_code=(said or {}).get('faultcode'),
        field=named and (named['field'] or named['unknown']),
        value=named and named['value'],
        retry_after=retry.after(response.headers.get('Retry-After'),
                                datetime.datetime.now(datetime.UTC)))


def _said(document: Any) -> dict[str, Any] | None:
    """What the API says of a fault; None where it is not the API."""
    if not isinstance(document, dict):
        return None
    said = document.get('error_message')
    if isinstance(said, str):
        return {'faultstring': said}
    return said if isinstance(said, dict) else None


def _not_an_api(response: requests.Response) -> faults.NotAnApi:
    kind = response.headers.get('Content-Type', 'nothing')
    begins = ' '.join(response.content[:_SHOWN].decode(
        errors='replace').split())
    return faults.NotAnApi(
        f'the answer is {kind.partition(";")[0]}, and no answer of this API',
        **_about(response), url=response.url.partition('?')[0],
        begins=begins or None)


def _about(response: requests.Response) -> dict[str, Any]:
    return {'status': response.status_code,
            'request_id': response.headers.get('X-Openstack-Request-Id')}


def _marker(link: str) -> str | None:
    """The marker of the page that follows.

    Of its URL nothing else is taken: behind a proxy it may name another host
    than the one that was asked, and a token is for that one only.
    """
    found = _NEXT.search(link)
    if found is None:
        return None
    query = urllib.parse.urlsplit(found[1]).query
    return dict(urllib.parse.parse_qsl(query)).get('marker')
