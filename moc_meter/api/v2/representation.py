# SPDX-License-Identifier: Apache-2.0
"""What is exposed, and how it is read and written: JSON, or XML.

WSME's own decorator is not used: it pairs query lists that are not whole,
reads numbers as binary floats and bodies of any depth, and answers faults by
itself. Its types and its two formats are.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any
from xml.etree import ElementTree

import pecan
import webob
import wsme.exc
from webob import exc
from wsme.rest import json as restjson
from wsme.rest import xml as restxml
from wsme.types import registry

from moc_meter import errors
from moc_meter.api import context, negotiation
from moc_meter.api.negotiation import JSON, XML, XML_TYPES
from moc_meter.api.v2 import arguments, refusals

#: Deeper nesting than this is none of our requests.
_MAX_DEPTH = 16

#: ``ask(self, caller, *path, **arguments)``: one question of a controller.
Ask = Callable[..., Any]


def expose(answer: object, *parameters: arguments.Parameter,
           body: object = None, status: int = 200) -> Callable[[Ask], Ask]:
    """Make a method of a controller answer requests.

    answer: the WSME type of what it returns.
    parameters: what the query string may hold; anything else is refused.
    body: the WSME type of the request's body, which the method is given as
        the argument ``samples``; its controller says in ``max_body`` how
        many bytes it takes.
    """
    answer, body = registry.resolve_type(answer), registry.resolve_type(body)

    def decorate(ask: Ask) -> Ask:
        @functools.wraps(ask)
        def controller(self: Any, request: webob.Request,
                       _: webob.Response, *path: str) -> webob.Response:
            content_type = request.pecan['content_type']
            given = arguments.read(request.GET, parameters)
            if body is not None:
                given['samples'] = _read(request, body, self.max_body)
            caller = context.caller(request.headers, request.application_url)
            result = ask(self, caller, *path, **given)
            return webob.Response(
                body=_written(result, answer, content_type), status=status,
                content_type=content_type, charset=None)

        pecan.expose(content_type=None)(controller)
        return controller

    return decorate


def _written(result: object, datatype: object, content_type: str) -> bytes:
    if content_type == JSON:
        text: str = restjson.encode_result(result, datatype)
        return text.encode()
    return negotiation.sayable(restxml.encode_result(result, datatype))


def _read(request: webob.Request, datatype: object, longest: int) -> Any:
    """The body of a request; None where there is none.

    longest: the most that is read, in bytes.
    Raises HTTPException where it is too large or neither JSON nor XML,
    InvalidQuery where it does not hold what it should.
    """
    if (request.content_length or 0) > longest:
        raise _too_large(longest)
    content = request.body_file.read(longest + 1)
    if len(content) > longest:
        raise _too_large(longest)
    if not content.strip():
        return None
    try:
        if request.content_type == JSON:
            return _from_json(content, datatype)
        if request.content_type in XML_TYPES:
            return _from_xml(content, datatype)
    except wsme.exc.UnknownAttribute as fault:
        fault.add_fieldname('samples')
        fault.attributes = sorted(fault.attributes)
        raise errors.InvalidQuery(fault.faultstring) from None
    except wsme.exc.ClientSideError as fault:
        raise errors.InvalidQuery(fault.faultstring) from None
    except ValueError as fault:
        raise errors.InvalidQuery(
            f'Invalid input for field/attribute samples. {fault}') from None
    raise exc.HTTPUnsupportedMediaType(
        f'A body must be {JSON} or {XML}, not {request.content_type!r}')


def _too_large(longest: int) -> exc.HTTPException:
    return exc.HTTPRequestEntityTooLarge(
        f'The body must not be longer than {longest} bytes')


def _from_json(content: bytes, datatype: object) -> Any:
    try:
        document = json.loads(content.decode(), parse_float=Decimal,
                              parse_constant=_refused)
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise errors.InvalidQuery(
            'Request is not in valid JSON format') from None
    except (ValueError, InvalidOperation):
        raise errors.InvalidQuery(
            'Request has a number with too many digits') from None
    except RecursionError:
        raise _too_deep() from None
    _check_depth(document)
    if not isinstance(document, list | None):
        raise refusals.invalid('samples', document, 'A list is expected.')
    for item in document or ():
        if not isinstance(item, dict):
            raise refusals.invalid('samples', item, 'An object is expected.')
    return restjson.fromjson(datatype, document)


def _refused(constant: str) -> None:
    raise errors.InvalidQuery(
        f'Request is not in valid JSON format: {constant} is no number')


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


def _tree(content: bytes) -> ElementTree.Element:
    """The document; one with definitions of its own is refused.

    Those are what attacks by XML are made of. A document in an encoding in
    which this does not find them is bounded by the parser itself.
    """
    if b'<!' in content:
        raise errors.InvalidQuery('XML with a document type is not read')
    return ElementTree.fromstring(content)      # noqa: S314


def _from_xml(content: bytes, datatype: object) -> Any:
    try:
        return restxml.fromxml(datatype, _tree(content))
    except (ElementTree.ParseError, AttributeError, TypeError):
        # WSME takes for granted that a mapping's items have both parts.
        raise errors.InvalidQuery(
            'Request is not in valid XML format') from None
