# SPDX-License-Identifier: Apache-2.0
"""Bodies of requests: JSON or XML of some type, bounded and exact."""

from __future__ import annotations

import collections
import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from xml.etree import ElementTree

import webob
import wsme.exc
import wsme.types
from webob import exc
from wsme.rest import json as restjson
from wsme.rest import xml as restxml
from wsme.types import registry

from moc_meter import errors
from moc_meter.api.negotiation import JSON, XML_TYPES
from moc_meter.api.v2 import refusals

#: Deeper nesting than this is none of our requests.
_MAX_DEPTH = 16


@dataclass(frozen=True, slots=True)
class Body:
    """What a request's body holds; ``name`` is the controller's argument.

    of: makes it of the content, by content type.
    """

    name: str
    of: dict[str, Callable[[bytes], Any]]


def body(name: str, datatype: object) -> Body:
    """A body of a WSME type, in JSON or XML; None where there is none."""
    datatype = registry.resolve_type(datatype)
    return Body(name, {
        JSON: lambda content: _from_json(content, datatype, name),
        **dict.fromkeys(XML_TYPES, lambda content: _from_xml(
            content, datatype, name))})


def read(request: webob.Request, wanted: Body, longest: int) -> Any:
    """The body of a request; None where there is none.

    longest: the most that is read, in bytes.
    Raises HTTPException where it is too large or of no content type that is
    known, InvalidQuery where it does not hold what it should.
    """
    if (request.content_length or 0) > longest:
        raise _too_large(longest)
    content = request.body_file.read(longest + 1)
    if len(content) > longest:
        raise _too_large(longest)
    if not content.strip():
        return None
    if request.content_type not in wanted.of:
        raise exc.HTTPUnsupportedMediaType(
            f'A body must be {" or ".join(wanted.of)}, not '
            f'{request.content_type!r}')
    return wanted.of[request.content_type](content)


def _too_large(longest: int) -> exc.HTTPException:
    return exc.HTTPRequestEntityTooLarge(
        f'The body must not be longer than {longest} bytes')


def document(content: bytes) -> Any:
    """JSON with exact numbers, nested no deeper than our requests."""
    try:
        found = json.loads(content.decode(), parse_float=Decimal,
                           parse_constant=_refused,
                           object_pairs_hook=_object)
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise errors.InvalidQuery(
            'Request is not in valid JSON format') from None
    except (ValueError, InvalidOperation):
        raise errors.InvalidQuery(
            'Request has a number with too many digits') from None
    except RecursionError:
        raise _too_deep() from None
    _check_depth(found)
    return found


def typed(said: Any, datatype: object, name: str) -> Any:
    """What JSON said, in its type; raises InvalidQuery."""
    with _refusing(name):
        return restjson.fromjson(datatype, said)


def mapping(said: Any, name: str) -> dict[str, Any]:
    """What JSON said, where it is an object; else raises InvalidQuery."""
    if not isinstance(said, dict):
        raise refusals.invalid(name, said, 'An object is expected.')
    return said


def _from_json(content: bytes, datatype: object, name: str) -> Any:
    found = document(content)
    if not isinstance(datatype, wsme.types.ArrayType):
        return typed(mapping(found, name), datatype, name)
    if not isinstance(found, list | None):
        raise refusals.invalid(name, found, 'A list is expected.')
    for item in found or ():
        mapping(item, name)
    return typed(found, datatype, name)


@contextlib.contextmanager
def _refusing(name: str) -> Iterator[None]:
    """WSME's refusals as ours; name: of the argument that is wrong."""
    try:
        yield
    except wsme.exc.UnknownAttribute as fault:
        fault.add_fieldname(name)
        fault.attributes = sorted(fault.attributes)
        raise errors.InvalidQuery(fault.faultstring) from None
    except wsme.exc.ClientSideError as fault:
        raise errors.InvalidQuery(fault.faultstring) from None
    except ValueError as fault:
        raise errors.InvalidQuery(
            f'Invalid input for field/attribute {name}. {fault}') from None


def _refused(constant: str) -> None:
    raise errors.InvalidQuery(
        f'Request is not in valid JSON format: {constant} is no number')


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two values under one name nobody knows which is meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        [(twice, _)] = collections.Counter(
            name for name, _ in pairs).most_common(1)
        raise errors.InvalidQuery(
            f'Request is not in valid JSON format: {twice!r} is there twice')
    return found


def _check_depth(document: object) -> None:
    """Raise InvalidQuery where the document is nested beyond our requests.

    What follows works, and complains, recursively.
    """
    level = [document]
    for _ in range(_MAX_DEPTH):
        level = [inner for outer in level if isinstance(outer, dict | list)
                 for inner in (outer.values() if isinstance(outer, dict)
                               else outer)]
        if not level:
            return
    raise _too_deep()


def _too_deep() -> errors.InvalidQuery:
    return errors.InvalidQuery('Request is nested too deeply')


class _Pair(wsme.types.Base):           # type: ignore[misc]
    """An entry of a mapping, as XML has it."""

    key = wsme.types.text
    value = wsme.types.text


def _tree(content: bytes) -> ElementTree.Element:
    """The document; one with definitions of its own is refused.

    Those are what attacks by XML are made of. A document in an encoding in
    which this does not find them is bounded by the parser itself.
    """
    if b'<!' in content:
        raise errors.InvalidQuery('XML with a document type is not read')
    return ElementTree.fromstring(content)      # noqa: S314


def _check_elements(element: ElementTree.Element, datatype: Any) -> None:
    """Raise InvalidQuery for an element that WSME would leave unread."""
    if isinstance(datatype, wsme.types.ArrayType):
        known = {'item': datatype.item_type}
    elif isinstance(datatype, wsme.types.DictType):
        known = {'item': _Pair}
    elif wsme.types.iscomplex(datatype):
        known = {one.name: one.datatype
                 for one in wsme.types.list_attributes(datatype)}
    else:
        known = {}
    for child in element:
        if child.tag not in known:
            raise refusals.unknown(child.tag)
        _check_elements(child, known[child.tag])


def _from_xml(content: bytes, datatype: object, name: str) -> Any:
    try:
        tree = _tree(content)
        _check_elements(tree, datatype)
        with _refusing(name):
            return restxml.fromxml(datatype, tree)
    except (ElementTree.ParseError, AttributeError, TypeError):
        # WSME takes for granted that a mapping's items have both parts.
        raise errors.InvalidQuery(
            'Request is not in valid XML format') from None
