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
import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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

_dumps: Callable[[Any], str] = simplejson.dumps
_text: Callable[[str], str] = simplejson.encoder.encode_basestring_ascii
_PLAIN: Mapping[object, Callable[[Any], str]] = {
    wtypes.text: _text, int: int.__repr__}
#: Bytes of an answer that are kept in memory, and of one that is packed.
_IN_MEMORY = 2 ** 20
_WORTH_PACKING = 1400
_CHUNK = 64 * 1024
#: Items that are written at once.
_ITEMS = 100


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
    write = _writer(datatype)
    written = (_or_null(write, item) for item in items)
    before = '['
    while some := [*itertools.islice(written, _ITEMS)]:
        yield (before + ', '.join(some)).encode()
        before = ', '
    yield b'[]' if before == '[' else b']'


def _xml_list(items: Iterable[Any], datatype: object,
              name: str) -> Iterator[bytes]:
    before = f'<{name}>'.encode()
    for item in items:
        yield before + _xml(datatype, 'item', item)
        before = b''
    yield (f'<{name} />' if before else f'</{name}>').encode()


def _json(datatype: Any, value: Any) -> bytes:
    return _or_null(_writer(datatype), value).encode()


@functools.cache
def _writer(datatype: Any) -> Callable[[Any], str]:
    """Writes values of a type that are not null.

    WSME would look at the type for each of them.
    An object is a mapping of what is said of its fields, or one of WSME's.
    """
    if wtypes.iscomplex(datatype):
        return functools.partial(_object, [
            (one.key, f'{_text(one.name)}: ', _writer(one.datatype))
            for one in wtypes.list_attributes(datatype)])
    if isinstance(datatype, wtypes.ArrayType):
        return functools.partial(_array, _writer(datatype.item_type))
    if isinstance(datatype, wtypes.DictType):
        return functools.partial(_dictionary, _writer(datatype.value_type))
    write = _PLAIN.get(datatype) or getattr(datatype, 'json', None)
    return write or (lambda value: _dumps(restjson.tojson(datatype, value)))


def _object(fields: Sequence[tuple[str, str, Callable[[Any], str]]],
            value: Any) -> str:
    # Asking whether it is any Mapping takes longer.
    said = value if isinstance(value, (dict, Mapping)) else {
        key: getattr(value, key) for key, _, _ in fields}
    find, unset = said.get, wtypes.Unset
    return '{' + ', '.join([
        name + ('null' if one is None else write(one))
        for key, name, write in fields
        if (one := find(key, unset)) is not unset]) + '}'


def _array(write: Callable[[Any], str], items: Iterable[Any]) -> str:
    return f'[{", ".join([_or_null(write, item) for item in items])}]'


def _dictionary(write: Callable[[Any], str], items: Mapping[str, Any]) -> str:
    return '{' + ', '.join([f'{_text(key)}: {_or_null(write, value)}'
                            for key, value in items.items()]) + '}'


def _or_null(write: Callable[[Any], str], value: Any) -> str:
    return 'null' if value is None else write(value)


def _xml(datatype: object, name: str, value: Any) -> bytes:
    return negotiation.sayable(ElementTree.tostring(
        restxml.toxml(datatype, name, _whole(datatype, value))))


def _whole(datatype: Any, value: Any) -> Any:
    """The same value with WSME's objects in the place of mappings."""
    if isinstance(datatype, wtypes.ArrayType) and value is not None:
        return [_whole(datatype.item_type, item) for item in value]
    if isinstance(value, Mapping) and wtypes.iscomplex(datatype):
        return datatype(**{
            one.key: _whole(one.datatype, value[one.key])
            for one in wtypes.list_attributes(datatype) if one.key in value})
    return value
