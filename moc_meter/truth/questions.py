# SPDX-License-Identifier: Apache-2.0
"""What is asked of the service's API: a path and its query.

``parse(question.url()) == question``: a question can be written down in a
report and be asked again.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib import parse as urls

#: What a list is cut to where a question sets no limit.
DEFAULT_LIMIT = 100

_TRUE = frozenset(('1', 't', 'true', 'on', 'y', 'yes'))
_INTEGER = re.compile(r'[+-]?\d{1,18}', re.ASCII)
_Q = ('q.field', 'q.op', 'q.value', 'q.type')


class Kind(enum.StrEnum):
    """What is asked for."""

    METERS = 'meters'               # /v2/meters
    METER = 'meter'                 # /v2/meters/{name}: its samples
    STATISTICS = 'statistics'       # /v2/meters/{name}/statistics
    SAMPLES = 'samples'             # /v2/samples
    SAMPLE = 'sample'               # /v2/samples/{id}
    RESOURCES = 'resources'         # /v2/resources
    RESOURCE = 'resource'           # /v2/resources/{id}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a simple query; all of a question's must hold."""

    field: str
    op: str
    value: str
    type: str = ''


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question.

    name: the meter or the id in the path.
    aggregates: functions with their parameters; those that have one first,
        since the two are paired by their places in the query.
    """

    kind: Kind
    name: str | None = None
    rules: tuple[Rule, ...] = ()
    limit: int | None = None
    unique: bool = False
    meter_links: int | None = None
    period: int | None = None           # seconds
    groupby: tuple[str, ...] = ()
    aggregates: tuple[tuple[str, str | None], ...] = ()

    def url(self) -> str:
        """The path and query, from /v2 on."""
        path = '/'.join(urls.quote(part, safe='') for part in self._path())
        query = urls.urlencode(list(self._query()), quote_via=urls.quote)
        return f'/v2/{path}' + (f'?{query}' if query else '')

    def _path(self) -> Sequence[str]:
        name = self.name or ''
        match self.kind:
            case Kind.METER:
                return ('meters', name)
            case Kind.STATISTICS:
                return ('meters', name, 'statistics')
            case Kind.SAMPLE | Kind.RESOURCE:
                return (f'{self.kind}s', name)
        return (self.kind,)

    def _query(self) -> Iterator[tuple[str, str]]:
        typed = any(rule.type for rule in self.rules)
        for rule in self.rules:
            yield 'q.field', rule.field
            yield 'q.op', rule.op
            yield 'q.value', rule.value
            if typed:
                yield 'q.type', rule.type
        for name in ('limit', 'meter_links', 'period'):
            if (value := getattr(self, name)) is not None:
                yield name, str(value)
        if self.unique:
            yield 'unique', 'True'
        for group in self.groupby:
            yield 'groupby', group
        for function, param in self.aggregates:
            yield 'aggregate.func', function
            if param is not None:
                yield 'aggregate.param', param


def parse(text: str) -> Question:
    """The question of a path and query; anything before /v2 is left aside.

    Raises ValueError where the API has no such question.
    """
    address = urls.urlsplit(text)
    _, found, path = address.path.partition('/v2/')
    given: dict[str, list[str]] = {}
    for key, value in urls.parse_qsl(address.query, keep_blank_values=True,
                                     strict_parsing=bool(address.query)):
        given.setdefault(key, []).append(value)
    kind, name = _kind([urls.unquote(part) for part in path.split('/')])
    if not found or kind is None:
        raise ValueError(f'no such question: {text}')
    question = Question(
        kind=kind, name=name, rules=tuple(_rules(given)),
        limit=_integer(given, 'limit', 1),
        unique=_single(given, 'unique').lower() in _TRUE,
        meter_links=_integer(given, 'meter_links'),
        period=_integer(given, 'period', 0),
        groupby=tuple(dict.fromkeys(given.pop('groupby', ()))),
        aggregates=tuple(_aggregates(given)))
    if given:
        raise ValueError(f'nothing is known of {", ".join(given)}: {text}')
    return question


def _kind(path: Sequence[str]) -> tuple[Kind | None, str | None]:
    match [part for part in path if part]:
        case ['meters', name, 'statistics']:
            return Kind.STATISTICS, name
        case ['meters', name]:
            return Kind.METER, name
        case ['samples', name]:
            return Kind.SAMPLE, name
        case ['resources', name]:
            return Kind.RESOURCE, name
        case ['meters' | 'samples' | 'resources' as noun]:
            return Kind(noun), None
    return None, None


def _rules(given: dict[str, list[str]]) -> Iterator[Rule]:
    fields, ops, values, types = (given.pop(key, []) for key in _Q)
    ops, types = (found or [''] * len(fields) for found in (ops, types))
    if not len(fields) == len(ops) == len(values) == len(types):
        raise ValueError(
            'q.field, q.op, q.value and q.type belong together by their '
            f'places: there are {len(fields)}, {len(ops)}, {len(values)} '
            f'and {len(types)} of them')
    for field, op, value, kind in zip(fields, ops, values, types,
                                      strict=True):
        yield Rule(field, op or 'eq', value, kind)


def _aggregates(given: dict[str, list[str]]
                ) -> Iterator[tuple[str, str | None]]:
    functions = given.pop('aggregate.func', [])
    params = given.pop('aggregate.param', [])
    for place, function in enumerate(functions):
        yield function, params[place] if place < len(params) else None


def _integer(given: dict[str, list[str]], name: str,
             least: int | None = None) -> int | None:
    if name not in given:
        return None
    text = _single(given, name)
    if not _INTEGER.fullmatch(text) or (least is not None
                                        and int(text) < least):
        raise ValueError(f'{name} is a whole number'
                         + ('' if least is None else f' from {least} on')
                         + f', and not {text!r}')
    return int(text)


def _single(given: dict[str, list[str]], name: str) -> str:
    values = given.pop(name, [''])
    if len(values) != 1:
        raise ValueError(f'{name} is given {len(values)} times')
    return values[0]
