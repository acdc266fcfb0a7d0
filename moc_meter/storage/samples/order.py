# SPDX-License-Identifier: Apache-2.0
"""The order of samples, which is total, and what comes after one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from moc_meter.model import period
from moc_meter.model.expression import INSTANTS, Column, Order
from moc_meter.model.query import StoredSample
from moc_meter.model.sample import MeterKind
from moc_meter.storage import numbering
from moc_meter.storage.samples import matching
from moc_meter.storage.samples.cells import sample
from moc_meter.storage.samples.series import parts
from moc_meter.storage.tables import samples as tables

_NULLABLE = (Column.USER, Column.PROJECT)
#: A sample and the number of its series.
Placed = tuple[StoredSample, int]


@dataclass(frozen=True, slots=True)
class Term:
    """What samples are sorted by, never null; value: the same in Python."""

    of: sa.ColumnElement[Any]
    descending: bool
    value: Callable[[Placed], Any]

    def sql(self) -> sa.ColumnElement[Any]:
        return self.of.desc() if self.descending else self.of


_NEWEST_FIRST = (
    Term(sample.c.timestamp, True, lambda one: period.microseconds(
        one[0].sample.timestamp)),
    Term(sample.c.recorded_at, False, lambda one: period.microseconds(
        one[0].recorded_at)),
    Term(sample.c.key, False, lambda one: one[0].sample.key),
    Term(sample.c.series_id, False, lambda one: one[1]))


def terms(order: Order) -> Sequence[Term]:
    """All that the order is made of; at its end, newest first."""
    return [*(term for column, descending in order
              for term in _terms(column, descending)), *_NEWEST_FIRST]


def _terms(column: Column, descending: bool) -> Iterator[Term]:
    of = matching.column(column)
    if column is Column.SIGNATURE:
        return
    if column in _NULLABLE:     # the databases disagree about null's place
        yield Term(sa.case((of.is_(None), 0), else_=1), descending,
                   lambda one: int(_said(one, column) is not None))
        of = sa.func.coalesce(of, '')
    yield Term(of, descending, lambda one: _said(one, column) or ''
               if column in _NULLABLE else _said(one, column))


def _said(one: Placed, column: Column) -> Any:
    """As matching.column() says it."""
    stored = one[0]
    value: Any = (stored.recorded_at if column is Column.RECORDED_AT
             else getattr(stored.sample, column.value))
    if column in INSTANTS:
        return period.microseconds(value)
    if column is Column.KIND:
        return (MeterKind.DELTA if value is MeterKind.EVENT else value).value
    return value


def placed(found: list[Placed], order: Sequence[Term]) -> list[StoredSample]:
    """The samples in their order."""
    for term in reversed(order):
        found.sort(key=term.value, reverse=term.descending)
    return [stored for stored, _ in found]


def after(conn: sa.Connection, last: StoredSample,
          order: Sequence[Term]) -> sa.ColumnElement[bool]:
    """What a sample must fulfil that comes after one."""
    digest = numbering.digest(parts(last.sample))
    known = numbering.known(conn, tables.series, [digest])
    one = last, known.get(digest, 0)
    beyond: list[sa.ColumnElement[bool]] = []
    equal: list[sa.ColumnElement[bool]] = []
    for term in order:
        value = sa.literal(term.value(one), term.of.type)
        beyond.append(sa.and_(*equal, term.of < value if term.descending
                              else term.of > value))
        equal.append(term.of == value)
    return sa.or_(*beyond)
