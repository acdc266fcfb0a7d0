# SPDX-License-Identifier: Apache-2.0
"""Reading from a running service over HTTP."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple, Self
from urllib import parse as urls

Headers = Callable[[], Mapping[str, str]]

#: Characters of an answer that an error repeats.
_SHOWN = 300


class ServiceFailed(Exception):
    """The service cannot be read; says why, and what may help."""


class Said(NamedTuple):
    """What the service answered."""

    status: int
    body: Any           # of the JSON document


class Service:
    """The API of one service, over one connection that is kept."""

    def __init__(self, url: str, *, headers: Headers | None = None,
                 timeout: float = 60.0) -> None:
        """
        url: where /v2 is found; 'http://name:word@host/telemetry' gives the
            name and the word of HTTP's basic authentication.
        headers: says who asks; called before each request, as a token may
            have ended meanwhile.
        timeout: seconds without a sign of life.
        Raises ServiceFailed where there can be no service at the URL.
        """
        address = _address(url)
        self.url = urls.urlunsplit(address._replace(
            netloc=address.netloc.rpartition('@')[2])).rstrip('/')
        self._prefix = address.path.rstrip('/')
        self._own = {'Accept': 'application/json',
                     **_authorization(address)}
        self._headers = headers or dict
        self._wire = _wire(address, timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._wire.close()

    def get(self, path: str) -> Said:
        """The answer to a path and query, from /v2 on.

        Numbers are read with every digit they have. Raises ServiceFailed
        where there is no answer, or none that is the API's.
        """
        answer, content = self._ask(self._prefix + path)
        if answer.status in (401, 403):
            raise ServiceFailed(
                f'{self.url} answers {answer.status} to {path}: it wants to '
                'know who asks, and that one must be allowed to see all '
                f'projects; give a token. It says: {_start(content)}')
        kind = answer.headers.get_content_type()
        if kind != 'application/json':
            raise ServiceFailed(
                f'{self.url} answers {kind} with status {answer.status}, '
                'which is not the metering API; is there another service at '
                f'this URL? It says: {_start(content)}')
        try:
            return Said(answer.status, json.loads(
                content, parse_float=Decimal, parse_constant=_no_number))
        except (ValueError, ArithmeticError, RecursionError) as fault:
            raise ServiceFailed(
                f'{self.url} answers to {path} what is no JSON ({fault}): '
                f'{_start(content)}') from None

    def rows(self, path: str) -> list[Any]:
        """The answer, which must be a list.

        Raises ServiceFailed where it is none.
        """
        said = self.get(path)
        if said.status != 200 or not isinstance(said.body, list):
            raise ServiceFailed(f'{self.url} answers {said.status} to '
                                f'{path}: {str(said.body)[:_SHOWN]}')
        return said.body

    def _ask(self, path: str) -> tuple[http.client.HTTPResponse, bytes]:
        """A kept connection may have been closed meanwhile: once more."""
        try:
            kept = self._wire.sock is not None
            try:
                return self._request(path)
            except (http.client.RemoteDisconnected, ConnectionResetError,
                    BrokenPipeError):
                self._wire.close()
                if not kept:
                    raise
                return self._request(path)
        except TimeoutError:
            raise ServiceFailed(
                f'{self.url} has not answered {path} in '
                f'{self._wire.timeout} s') from None
        except (OSError, http.client.HTTPException) as fault:
            raise ServiceFailed(
                f'{self.url} cannot be reached: {fault}') from None

    def _request(self, path: str
                 ) -> tuple[http.client.HTTPResponse, bytes]:
        self._wire.request('GET', path,
                           headers={**self._own, **self._headers()})
        answer = self._wire.getresponse()
        return answer, answer.read()


def _address(url: str) -> urls.SplitResult:
    try:
        address = urls.urlsplit(url)
        whole = (address.scheme in ('http', 'https') and address.hostname
                 and address.port != 0 and url.isascii()
                 and url.isprintable() and ' ' not in url
                 and not address.query and not address.fragment)
    except ValueError:
        whole = False       # of brackets, or of the port
    if not whole:
        raise ServiceFailed(f'{url.rpartition("@")[2]!r} is no URL of a '
                            'service: http://HOST:PORT is')
    return address


def _wire(address: urls.SplitResult, timeout: float
          ) -> http.client.HTTPConnection:
    host, port = str(address.hostname), address.port
    if address.scheme == 'http':
        return http.client.HTTPConnection(host, port, timeout=timeout)
    return http.client.HTTPSConnection(
        host, port, timeout=timeout, context=ssl.create_default_context())


def _authorization(address: urls.SplitResult) -> Mapping[str, str]:
    if address.username is None:
        return {}
    both = (urls.unquote(address.username) + ':'
            + urls.unquote(address.password or ''))
    said = base64.b64encode(both.encode()).decode()
    return {'Authorization': f'Basic {said}'}


def _no_number(constant: str) -> None:
    raise ValueError(f'{constant} is no number')


def _start(content: bytes) -> str:
    return repr(content[:_SHOWN].decode(errors='replace'))
