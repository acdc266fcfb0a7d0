# SPDX-License-Identifier: Apache-2.0
"""Everything that reads what a stranger sends, by name.

Each is given any text, and may do no other thing than to read or refuse it.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Mapping

from webob.multidict import MultiDict

from moc_meter import errors
from moc_meter.api.context import Caller
from moc_meter.api.v1.narrowing import NARROWED
from moc_meter.api.v2 import (
    arguments,
    cloudevents,
    event_query,
    filters,
    ingest,
    paging,
    query,
    reading,
    types,
)

REFUSALS = (errors.InvalidQuery, errors.InvalidSample, errors.NotAuthorized)
_CALLER = Caller(project_id='p1', user_id='u1', sees_all=False,
                 service_url='http://meter.test')
_PARAMETERS = (
    arguments.RULES, arguments.LIMIT, paging.MARKER, arguments.AGGREGATES,
    arguments.integer('period'), arguments.boolean('unique'),
    arguments.instant('at'), arguments.texts('groupby'), NARROWED)
_BODIES = tuple(
    reading.body('body', datatype).of for datatype in (
        [types.OldSample], [types.IngestedSample], types.ComplexQuery))


def _arguments(text: str) -> None:
    given = arguments.read(MultiDict(urllib.parse.parse_qsl(
        text, keep_blank_values=True)), _PARAMETERS)
    for fields in (query.METERS, query.RESOURCES, query.SAMPLES):
        _refusing(query.asked, given['q'], fields, _CALLER)
    event_query.asked(given['q'], _CALLER)


def _marker(text: str) -> None:
    for pages in (paging.samples, paging.meters, paging.resources,
                  paging.states):
        _refusing(pages, None, None, 1, text)


def _body(text: str) -> None:
    content = text.encode('utf-8', 'surrogatepass')
    _refusing(cloudevents.structured, content)
    _refusing(cloudevents.batched, content)
    _refusing(ingest.plain, content)
    for kinds in _BODIES:
        for of_kind in kinds.values():
            _refusing(of_kind, content)


def _refusing(parse: Callable[..., object], *given: object) -> None:
    try:
        parse(*given)
    except REFUSALS:
        return


_PARSERS: Mapping[str, Callable[[str], object]] = {
    'filter': filters.parse_filter, 'order': filters.parse_order,
    'arguments': _arguments, 'marker': _marker, 'body': _body}
NAMES = tuple(_PARSERS)


def read(name: str, text: str) -> None:
    """Give a text to a parser; what it raises besides refusals is a fault."""
    _refusing(_PARSERS[name], text)
