# SPDX-License-Identifier: Apache-2.0
"""Which representation a request asks for, and where its path leads."""

from __future__ import annotations

import re
import urllib.parse
from typing import Any

import webob
import webob.multidict
from webob import acceptparse, exc

JSON = 'application/json'
XML = 'application/xml'
XML_TYPES = (XML, 'text/xml')
_OFFERS = (JSON, *XML_TYPES)
_UNSAYABLE = re.compile(rb'[\x00-\x08\x0b\x0c\x0e-\x1f]|&#(\d+);')


class Request(webob.Request):            # type: ignore[misc]
    """A request whose body nobody reads but the controllers.

    Pecan would read it whole and parse it on its own: unbounded in size and
    depth, and numbers as binary floats. And its own request writes a trace
    into the log for every URL that is not UTF-8.
    """

    @property
    def path_info(self) -> str:
        path: str = self._utf8('path_info')
        return path

    @property
    def GET(self) -> webob.multidict.GetDict:               # noqa: N802
        return self._utf8('GET')

    @property
    def json(self) -> object:
        raise ValueError('the controllers read the body')

    @property
    def params(self) -> object:
        return self.GET

    def _utf8(self, part: str) -> Any:
        try:
            return getattr(super(), part)
        except UnicodeDecodeError:
            raise exc.HTTPBadRequest('The URL is not UTF-8') from None


def content_type(request: webob.Request) -> str:
    """The representation that the request likes best; JSON on a tie.

    Raises HTTPNotAcceptable where it admits none of ours.
    """
    best = _best(request)
    if best is None:
        raise exc.HTTPNotAcceptable(
            f'Only {JSON} and {XML} are served, not {request.accept}')
    return best


def prefers_xml(request: webob.Request) -> bool:
    """Whether a fault is told in XML; in JSON where neither is admitted."""
    return _best(request) in XML_TYPES


def sayable(document: bytes) -> bytes:
    """The XML document with U+FFFD for each character that no XML can hold.

    Texts may have such characters, and JSON can say them.
    """
    return _UNSAYABLE.sub(
        lambda found: found[0] if _in_xml(int(found[1] or 0)) else b'&#65533;',
        document)


def _in_xml(character: int) -> bool:
    return (0x20 <= character < 0xd800 or 0xe000 <= character < 0xfffe
            or character > 0xffff or character in (0x09, 0x0a, 0x0d))


def _best(request: webob.Request) -> str | None:
    offers = _without_parameters(request.accept).acceptable_offers(_OFFERS)
    return offers[0][0] if offers else None


def _without_parameters(accept: Any) -> Any:
    """What the header likes, but for a charset, which no JSON has.

    A header that is not there, says nothing or is none likes everything.
    """
    said = [f'{media.partition(";")[0]};q={quality}'
            for media, quality, _, _ in accept.parsed or ()]
    return acceptparse.create_accept_header(', '.join(said) or None)


def path_parts(request: webob.Request) -> list[str]:
    """The parts of the path below the service's prefix, decoded.

    A slash that was sent as %2F does not part: the server's raw URI says
    which are which, where it hands that on. A last slash is left out.
    """
    path: str = request.path_info
    raw = request.environ.get('REQUEST_URI') or request.environ.get(
        'RAW_URI', '')
    sent = raw.partition('?')[0].split('/')
    decoded = [urllib.parse.unquote(part) for part in sent]
    for start in range(1, len(sent)):
        if '/' + '/'.join(decoded[start:]) == path:
            parts = decoded[start:]
            break
    else:
        parts = path.split('/')[1:]
    return parts[:-1] if parts[-1:] == [''] else parts
