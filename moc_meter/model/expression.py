# SPDX-License-Identifier: Apache-2.0
"""What a complex query asks of samples: a tree of comparisons.

It has two values, true and false: a comparison with what a sample does not
have is false, and its negation true.
"""

from __future__ import annotations

import datetime
import enum
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal


class Column(enum.StrEnum):
    """What a sample says, beside its metadata."""

    SOURCE = 'source'
    METER = 'meter'
    KIND = 'kind'
    UNIT = 'unit'
    VOLUME = 'volume'
    USER = 'user_id'
    PROJECT = 'project_id'
    RESOURCE = 'resource_id'
    TIMESTAMP = 'timestamp'
    RECORDED_AT = 'recorded_at'
    MESSAGE = 'message_id'
    SIGNATURE = 'message_signature'     # no sample has one: the bus does


INSTANTS = frozenset((Column.TIMESTAMP, Column.RECORDED_AT))
#: What all samples of a series have in common.
OF_SERIES = frozenset(Column) - INSTANTS - {
    Column.VOLUME, Column.MESSAGE, Column.SIGNATURE}


@dataclass(frozen=True, slots=True)
class Path:
    """A scalar of the metadata: 'flavor.name', 'tags[0]'."""

    path: str


class Op(enum.StrEnum):
    """How two values are compared; texts by code point."""

    EQ = '='
    NE = '!='
    LT = '<'
    LE = '<='
    GT = '>'
    GE = '>='
    MATCH = '=~'        # a regular expression is found somewhere in a text


#: Of a path: kind and text, see metadata.scalar().
Value = str | Decimal | datetime.datetime | tuple[str, str]


@dataclass(frozen=True, slots=True)
class Compare:
    """One comparison; a path of another kind than the value is unequal."""

    subject: Column | Path
    op: Op
    value: Value


@dataclass(frozen=True, slots=True)
class Among:
    """Whether the subject is one of some values."""

    subject: Column | Path
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Every:
    """All the parts are true."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """At least one part is true."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part is false."""

    part: Expression


Expression = Compare | Among | Every | Either | Not
#: Columns to sort by, each with whether it descends; what has none is less.
Order = tuple[tuple[Column, bool], ...]


def leaves(expression: Expression) -> Iterator[Compare | Among]:
    """All the comparisons, wherever they stand."""
    match expression:
        case Every(parts) | Either(parts):
            for part in parts:
                yield from leaves(part)
        case Not(part):
            yield from leaves(part)
        case Compare() | Among():
            yield expression


def inward(expression: Expression, negated: bool = False) -> Expression:
    """The same with negations of comparisons only."""
    match expression:
        case Not(part):
            return inward(part, not negated)
        case Every(parts) | Either(parts):
            turned = tuple(inward(part, negated) for part in parts)
            return (Every(turned) if isinstance(expression, Every) != negated
                    else Either(turned))
        case _:
            return Not(expression) if negated else expression


#: [from, to) in which alone an expression can be true; None is unbounded.
Bounds = tuple[datetime.datetime | None, datetime.datetime | None]
_TICK = datetime.timedelta(microseconds=1)
_LATEST = datetime.datetime.max.replace(tzinfo=datetime.UTC)


def bounds(expression: Expression) -> Bounds:
    """Of the timestamp; expression: with negations inward."""
    match expression:
        case Every(parts):
            return _meet([bounds(part) for part in parts])
        case Either(parts):
            return _span([bounds(part) for part in parts])
        case Among(Column.TIMESTAMP, values):
            return _span([_one(Op.EQ, value) for value in values])
        case Compare(Column.TIMESTAMP, op, value):
            return _one(op, value)
    return None, None


def _one(op: Op, value: Value) -> Bounds:
    if not isinstance(value, datetime.datetime):
        raise TypeError(f'{value!r} is no instant')
    next_one = None if value >= _LATEST else value + _TICK
    return (value if op in (Op.EQ, Op.GE) else
            next_one if op is Op.GT else None,
            value if op is Op.LT else
            next_one if op in (Op.EQ, Op.LE) else None)


def _meet(found: list[Bounds]) -> Bounds:
    lower = [start for start, _ in found if start is not None]
    upper = [end for _, end in found if end is not None]
    return max(lower, default=None), min(upper, default=None)


def _span(found: list[Bounds]) -> Bounds:
    lower = [start for start, _ in found if start is not None]
    upper = [end for _, end in found if end is not None]
    return (min(lower) if len(lower) == len(found) else None,
            max(upper) if len(upper) == len(found) else None)
