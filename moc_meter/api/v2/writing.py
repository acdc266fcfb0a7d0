# SPDX-License-Identifier: Apache-2.0
"""Answers: JSON or XML, however long, in bounded memory.

A long list is read and written page by page into a temporary file before the
first byte is sent: a slow reader holds no connection of the database, and
what goes wrong on the way is still told by a status.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any
from xml.etree import ElementTree

import simplejson
import webob
from webob import acceptparse
from wsme import types as wtypes
from wsme.rest import json as restjson
from wsme.rest import xml as restxml

from moc_meter.api import negotiation
from moc_meter.api.negotiation import JSON

#: Bytes of an answer that are kept in memory, and of one that is packed.
_IN_MEMORY = 2 ** 20
_WORTH_PACKING = 1400
_CHUNK = 64 * 1024


def response(request: webob.Request, result: Any, datatype: object,
             content_type: str, status: int,
             key: str | None = None) -> webob.Response:
    """The answer to a request; key: see representation.expose().

    What is read has an ETag, and is not sent again to who has it.
    """
    tag = hashlib.sha256()
    made = webob.Response(status=status, content_type=content_type,
                          charset=None)
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(_spool())
        for part in _parts(result, datatype, content_type, key):
            file.write(part)
            tag.update(part)
        if request.method == 'GET':
            made.etag = (tag.hexdigest()[:32], False)
            if made.etag in request.if_none_match:
                made.status = 304
                del made.content_type
                return made
        if file.tell() >= _WORTH_PACKING and _takes_gzip(request):
            file = stack.enter_context(_packed(file))
            made.content_encoding = 'gzip'
        length = file.tell()
        file.seek(0)
        if length <= _IN_MEMORY:
            made.body = file.read()
        else:
            made.app_iter = _Spooled(file, stack.pop_all())
            made.content_length = length
    return made


class _Spooled:
    """The bytes of a file, which goes when they are sent, or nobody cares."""

    def __init__(self, file: IO[bytes], held: contextlib.ExitStack) -> None:
        self._file = file
        self.close = held.close

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self._file.read(_CHUNK), b'')


def _spool() -> IO[bytes]:
    return tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)


def _packed(file: IO[bytes]) -> IO[bytes]:
    packed = _spool()
    file.seek(0)
    with gzip.GzipFile(fileobj=packed, mode='wb', mtime=0,
                       compresslevel=6) as into:
        shutil.copyfileobj(file, into, _CHUNK)
    return packed


def _takes_gzip(request: webob.Request) -> bool:
    """Whether the request says so, and likes nothing better."""
    accept = request.accept_encoding
    if not isinstance(accept, acceptparse.AcceptEncodingValidHeader):
        return False
    offers = accept.acceptable_offers(['gzip', 'identity'])
    return bool(offers) and offers[0][0] == 'gzip'


def _parts(result: Any, datatype: object, content_type: str,
           key: str | None) -> Iterator[bytes]:
    json = content_type == JSON
    if isinstance(datatype, wtypes.ArrayType):
        before, after = ('{"%s": ', '}') if json else ('<result>', '</result>')
        yield (before.replace('%s', key) if key else '').encode()
        yield from (_json_list(result, datatype.item_type) if json else
                    _xml_list(result, datatype.item_type, key or 'result'))
        yield (after if key else '').encode()
    elif json:
        yield _json(datatype, result)
    else:
        yield _xml(datatype, 'result', result)


def _json_list(items: Iterable[Any], datatype: object) -> Iterator[bytes]:
    before = b'['
    for item in items:
        yield before + _json(datatype, item)
        before = b', '
    yield b'[]' if before == b'[' else b']'


def _xml_list(items: Iterable[Any], datatype: object,
              name: str) -> Iterator[bytes]:
    before = f'<{name}>'.encode()
    for item in items:
        yield before + _xml(datatype, 'item', item)
        before = b''
    yield (f'<{name} />' if before else f'</{name}>').encode()


def _json(datatype: Any, value: Any) -> bytes:
    if isinstance(value, wtypes.Base):
        plain = {name: said if said is None else convert(said)
                 for name, key, convert in _attributes(datatype)
                 if (said := getattr(value, key)) is not wtypes.Unset}
    else:
        plain = restjson.tojson(datatype, value)
    text: str = simplejson.dumps(plain)
    return text.encode()


@functools.cache
def _attributes(datatype: Any) -> list[tuple[str, str, Callable[[Any], Any]]]:
    """Name, attribute and conversion; WSME would find them for each item."""
    return [(one.name, one.key, _converter(one.datatype))
            for one in wtypes.list_attributes(datatype)]


def _converter(datatype: Any) -> Callable[[Any], Any]:
    if datatype in (wtypes.text, int, bool):
        return lambda value: value
    if isinstance(datatype, wtypes.UserType):
        return datatype.tobasetype      # type: ignore[no-any-return]
    return functools.partial(restjson.tojson, datatype)


def _xml(datatype: object, name: str, value: Any) -> bytes:
    return negotiation.sayable(ElementTree.tostring(
        restxml.toxml(datatype, name, value)))
