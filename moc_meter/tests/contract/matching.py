# SPDX-License-Identifier: Apache-2.0
"""Which samples an expression means, and their order, one by one in Python.

It shares no step with what a store does in SQL.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

from moc_meter.model import metadata, period, query
from moc_meter.model.expression import (
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
)
from moc_meter.model.sample import MeterKind
from moc_meter.storage.samples.series import parts

_OPS: dict[Op, Callable[[Any, Any], bool]] = {
    Op.EQ: operator.eq, Op.NE: operator.ne, Op.LT: operator.lt,
    Op.LE: operator.le, Op.GT: operator.gt, Op.GE: operator.ge,
    Op.MATCH: lambda text, pattern: re.search(pattern, text) is not None}


def listed(found: Iterable[query.StoredSample], where: Expression | None,
           sort: Order) -> list[query.StoredSample]:
    return sorted((one for one in found
                   if where is None or is_true(where, one)), key=place(sort))


def is_true(expression: Expression, one: query.StoredSample) -> bool:
    match expression:
        case Every(inner):
            return all(is_true(part, one) for part in inner)
        case Either(inner):
            return any(is_true(part, one) for part in inner)
        case Not(part):
            return not is_true(part, one)
        case Among(subject, values):
            return any(is_true(Compare(subject, Op.EQ, value), one)
                       for value in values)
        case Compare(Path(path), op, (kind, text)):
            return any(_holds(op, (found, value), (kind, text))
                       for where, found, value
                       in metadata.scalars(one.sample.metadata)
                       if where == path)
        case Compare(Column() as column, op, value):
            said = _said(one, column)
            return said is not None and _OPS[op](said, value)
    raise AssertionError(expression)


def _holds(op: Op, said: tuple[str, str], wanted: tuple[str, str]) -> bool:
    if op in (Op.EQ, Op.NE):
        return _OPS[op](said, wanted)
    if said[0] != wanted[0]:
        return False
    if said[0] == metadata.NUMBER:
        return _OPS[op](Fraction(said[1]), Fraction(wanted[1]))
    return _OPS[op](said[1], wanted[1])


def place(sort: Order) -> Callable[[query.StoredSample], Any]:
    """Where a sample stands in an order."""
    def key(one: query.StoredSample) -> Any:
        return [*((_Down if descending else _Up)(_said(one, column))
                  for column, descending in sort
                  if column is not Column.SIGNATURE),
                -period.microseconds(one.sample.timestamp), one.recorded_at,
                one.sample.key.bytes, repr(parts(one.sample))]
    return key


class _Up:
    """A value that may be missing, and then is the least."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Up) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __lt__(self, other: _Up) -> bool:
        return other._value is not None and (
            self._value is None or self._value < other._value)


class _Down(_Up):
    def __lt__(self, other: _Up) -> bool:
        return _Up.__lt__(other, self)


def _said(one: query.StoredSample, column: Column) -> Any:
    if column is Column.RECORDED_AT:
        return one.recorded_at
    if column is Column.SIGNATURE:
        return None
    said = getattr(one.sample, column.value)
    return MeterKind.DELTA if said is MeterKind.EVENT else said
