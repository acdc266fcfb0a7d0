# SPDX-License-Identifier: Apache-2.0
"""Filters and orders of complex queries: texts that hold JSON.

    filter:  {"and"|"or": [filter, filter, …]} | {"not": filter}
             | {OP: {FIELD: value}} | {"in": {FIELD: [value, …]}}
    orderby: [{FIELD: "asc"|"desc"}, …]
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from moc_meter import errors
from moc_meter.api.v2 import timestamp, types
from moc_meter.model import metadata, quantity
from moc_meter.model.expression import (
    INSTANTS,
    Among,
    Column,
    Compare,
    Either,
    Every,
    Expression,
    Not,
    Op,
    Order,
    Path,
    Value,
)

#: Bounds of what one question may cost; no use that we know comes near.
LONGEST = 64 * 1024                 # characters of a filter or an order
_MAX_DEPTH = 24
_MAX_COMPARISONS = 150              # SQLite's trees have a greatest depth
_MAX_VALUES = 500                   # of lists
_LONGEST_PATTERN = 255

_FIELDS: Mapping[str, Column] = {
    'source': Column.SOURCE, 'counter_name': Column.METER,
    'counter_type': Column.KIND, 'counter_unit': Column.UNIT,
    'counter_volume': Column.VOLUME, 'user_id': Column.USER,
    'project_id': Column.PROJECT, 'resource_id': Column.RESOURCE,
    'timestamp': Column.TIMESTAMP, 'recorded_at': Column.RECORDED_AT,
    'message_id': Column.MESSAGE, 'message_signature': Column.SIGNATURE,
    'user': Column.USER, 'project': Column.PROJECT,
    'resource': Column.RESOURCE, 'meter': Column.METER, 'type': Column.KIND,
    'unit': Column.UNIT, 'volume': Column.VOLUME}
_METADATA = 'metadata.'
_OPS: Mapping[str, Op] = {op.value: op for op in Op} | {
    '=<': Op.LE, '=>': Op.GE}
_JOINED: Mapping[str, type[Every] | type[Either]] = {
    'and': Every, 'or': Either}
_DIRECTIONS = {'asc': False, 'desc': True}

_FILTER = 'Filter expression not valid: '
_ORDER = 'Order-by expression not valid: '


def parse_filter(text: str) -> Expression:
    """The expression that a text holds; raises InvalidQuery."""
    parser = _Parser()
    return parser.expression(_document(text, _FILTER), 1)


def parse_order(text: str) -> Order:
    """What is sorted by; raises InvalidQuery."""
    document = _document(text, _ORDER)
    if not isinstance(document, list):
        _refuse(_ORDER, f"{_shown(document)} is not of type 'array'")
    if len(document) > len(_FIELDS):
        _refuse(_ORDER, f'{_shown(document)} is too long')
    return tuple(map(_sorted_by, document))


def _sorted_by(item: object) -> tuple[Column, bool]:
    if not isinstance(item, dict):
        _refuse(_ORDER, f"{_shown(item)} is not of type 'object'")
    if len(item) != 1:
        _refuse(_ORDER, f'{_shown(item)} does not have exactly one property')
    [(field, direction)] = item.items()
    if field not in _FIELDS:
        _refuse(_ORDER, f'{_shown(field)} is not one of {sorted(_FIELDS)}')
    if not isinstance(direction, str):
        _refuse(_ORDER, f"{_shown(direction)} is not of type 'string'")
    if direction.lower() not in _DIRECTIONS:
        _refuse(_ORDER,
                f"{_shown(direction)} does not match '(?i)^asc$|^desc$'")
    return _FIELDS[field], _DIRECTIONS[direction.lower()]


class _Parser:
    """Reads one filter, and counts what it holds."""

    def __init__(self) -> None:
        self._values = self._comparisons = 0

    def expression(self, said: object, depth: int) -> Expression:
        if depth > _MAX_DEPTH:
            _refuse(_FILTER, 'it is nested too deeply')
        if not isinstance(said, dict) or len(said) != 1:
            raise _no_schema(said)
        [(name, inner)] = said.items()
        word = name.lower()
        if word in _JOINED and isinstance(inner, list) and len(inner) > 1:
            return _JOINED[word](tuple(self.expression(part, depth + 1)
                                       for part in inner))
        if word == 'not':
            return Not(self.expression(inner, depth + 1))
        if word in (*_OPS, 'in') and isinstance(inner, dict) and (
                len(inner) == 1):
            [(field, value)] = inner.items()
            if word != 'in':
                return self._compare(said, _subject(said, field),
                                     _OPS[word], value)
            if isinstance(value, list) and value:
                return self._among(said, _subject(said, field), value)
        raise _no_schema(said)

    def _compare(self, said: object, subject: Column | Path, op: Op,
                 value: object) -> Expression:
        self._count()
        if not isinstance(value, str | bool | int | Decimal):
            raise _no_schema(said)
        if op is Op.MATCH:
            _check_pattern(said, subject, value)
        return Compare(subject, op, _value(said, subject, value))

    def _among(self, said: object, subject: Column | Path,
               values: list[object]) -> Expression:
        self._count(len(values))
        for value in values:
            if isinstance(value, bool) or not isinstance(
                    value, str | int | Decimal):
                raise _no_schema(said)
        return Among(subject, tuple(_value(said, subject, value)
                                    for value in values))

    def _count(self, values: int = 0) -> None:
        self._values += values
        self._comparisons += 1
        for found, most, name in (
                (self._values, _MAX_VALUES, 'values'),
                (self._comparisons, _MAX_COMPARISONS, 'comparisons')):
            if found > most:
                _refuse(_FILTER, f'it has more than {most} {name}')


def _subject(said: object, field: str) -> Column | Path:
    if field.startswith(_METADATA):
        metadata.check_text('filter', field)
        return Path(field.removeprefix(_METADATA))
    if field not in _FIELDS:
        raise _no_schema(said)
    return _FIELDS[field]


def _check_pattern(said: object, subject: Column | Path,
                   value: object) -> None:
    if not isinstance(value, str) or subject in (*INSTANTS, Column.VOLUME):
        raise _no_schema(said)
    if len(value) > _LONGEST_PATTERN:
        _refuse(_FILTER, f'{_shown(value)} is too long')


def _value(said: object, subject: Column | Path, value: Any) -> Value:
    """The value in the type of what it is compared with."""
    if isinstance(value, str):
        metadata.check_text('filter', value)
    if isinstance(subject, Path):
        return metadata.scalar(_plain(value))
    if subject in INSTANTS:
        return _instant(value)
    if subject is Column.VOLUME:
        try:
            return types.Volume.validate(value)
        except ValueError:
            raise _no_schema(said) from None
    if isinstance(value, bool):
        raise _no_schema(said)
    # A number stands for its digits where texts are kept.
    return value if isinstance(value, str) else quantity.text(Decimal(value))


def _plain(value: str | bool | int | Decimal) -> object:
    """Numbers of metadata are plain ones, and finite."""
    return float(value) if isinstance(value, Decimal) else value


def _instant(value: object) -> Value:
    try:
        if isinstance(value, str):
            return timestamp.parse(value)
    except ValueError:
        pass
    raise errors.InvalidQuery(
        f'Failed to parse the timestamp value {value}')


def _document(text: str, refusal: str) -> Any:
    if len(text) > LONGEST:
        _refuse(refusal, f'it has more than {LONGEST} characters')
    try:
        return json.loads(text, parse_float=_finite, parse_constant=_constant,
                          object_pairs_hook=_single)
    except (ValueError, InvalidOperation) as fault:
        raise errors.InvalidQuery(f'{refusal}{fault}') from None
    except RecursionError:
        raise errors.InvalidQuery(
            f'{refusal}it is nested too deeply') from None


def _finite(text: str) -> Decimal:
    """A number that can be one of metadata too: no larger than a double."""
    if float(text) in (float('inf'), float('-inf')):
        raise ValueError(f'{text} is too large')
    return Decimal(text)


def _constant(text: str) -> NoReturn:
    raise ValueError(f'{text} is no number')


def _single(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two keys that are the same, none is silently forgotten."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError('an object has a key twice')
    return found


def _no_schema(said: object) -> errors.InvalidQuery:
    return errors.InvalidQuery(
        f'{_FILTER}{_shown(said)} is not valid under any of the given '
        'schemas')


def _refuse(refusal: str, reason: str) -> NoReturn:
    raise errors.InvalidQuery(refusal + reason)


def _shown(value: object) -> str:
    return json.dumps(value, default=str)[:500]

