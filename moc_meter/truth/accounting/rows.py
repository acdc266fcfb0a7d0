# SPDX-License-Identifier: Apache-2.0
"""Cells of many resources added up to the rows of an answer."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from moc_meter.truth.accounting import exact
from moc_meter.truth.accounting.allocation import Funding, Running
from moc_meter.truth.accounting.cells import Cell, Series, cut
from moc_meter.truth.accounting.periods import borders
from moc_meter.truth.accounting.question import Question
from moc_meter.truth.forms import Facts, Instant

Row = dict[str, object]
_Values = tuple[str | None, ...]
#: A cell, and every attribute that rows may be grouped by.
_Line = tuple[Cell, Mapping[str, str | None]]


@dataclass(slots=True)
class _Total:
    """The sum of a row's cells."""

    cell: Cell
    resources: int = 0
    latest: str | None = None       # the last resource that was counted


class Table:
    """The rows of one question, while resources come in one by one."""

    def __init__(self, question: Question, facts: Facts) -> None:
        self._question = question
        self._funding = Funding(facts)
        self._borders = question.borders()
        self._totals: dict[tuple[int, _Values], _Total] = {}

    def take(self, series: Series) -> None:
        """Add one resource; each comes once."""
        for cell, attributes in self._lines(series):
            values = tuple(attributes[name] for name in self._question.by)
            if not cell.empty():
                self._add(series.resource_id, cell, values)

    def _lines(self, series: Series) -> Iterator[_Line]:
        if 'institution' in self._question.by:
            return self._allocated(series)
        return ((cell, self._attributes(series, cell.start))
                for cell in cut(series, series.met(self._cuts(series))))

    def _cuts(self, series: Series) -> list[Instant]:
        """Borders of rows, and where an attribute changes between them."""
        start, end = self._borders[0], self._borders[-1]
        return sorted({*self._borders, *(
            at for at in series.history.changes() if start < at < end)})

    def _attributes(self, series: Series,
                    at: Instant) -> dict[str, str | None]:
        return {**series.history.at(at), 'resource_id': series.resource_id,
                'type': series.type}

    def _allocated(self, series: Series) -> Iterator[_Line]:
        """Each cell once for each institution that has a part in it.

        A record is what lies in one accounting day and has one owner and one
        set of shares; whatever it is cut at besides, its pieces are
        differences of its allocated running total. So they add up to the
        record; a bound of one institution's piece may miss its quantity by
        a unit of 10**-9, as largest remainders move when a total grows.
        """
        question = self._question
        days = borders('day', question.zone, question.start, question.end)
        changes = series.history.changes() | {
            at for project in series.history.ever('project_id')
            for at in self._funding.changes(project)}
        cuts = {*self._borders, *days, *(
            at for at in changes if days[0] < at < days[-1])}
        cells = cut(series, series.met(sorted(cuts)))

        def record(cell: Cell) -> tuple[object, ...]:
            of = series.history.at(cell.start)
            return (bisect.bisect_right(days, cell.start),
                    of['project_id'], of['user_id'],
                    sorted(self._shares(series, cell.start).items()))

        for _, pieces in itertools.groupby(cells, key=record):
            yield from self._record(series, list(pieces))

    def _shares(self, series: Series, at: Instant) -> dict[str, Fraction]:
        of = series.history.at(at)
        if self._question.basis == 'affiliation':
            return self._funding.employer(of['user_id'])
        return self._funding.at(of['project_id'], at)

    def _record(self, series: Series,
                pieces: Sequence[Cell]) -> Iterator[_Line]:
        """The pieces of one record, divided; those outside are left out."""
        shares = self._shares(series, pieces[0].start)
        quantity, lower, upper = (Running(shares) for _ in range(3))
        for piece in pieces:
            whose = quantity.add(piece.quantity)
            least, most = lower.add(piece.lower), upper.add(piece.upper or 0)
            inside = self._borders[0] <= piece.start < self._borders[-1]
            if not inside or piece.empty():
                continue
            attributes = self._attributes(series, piece.start)
            for name, part in whose.items():
                yield (_part(piece, part, least[name],
                             None if piece.upper is None else most[name]),
                       {**attributes, 'institution': name})

    def _add(self, resource_id: str, cell: Cell, values: _Values) -> None:
        place = bisect.bisect_right(self._borders, cell.start) - 1
        total = self._totals.get((place, values))
        if total is None:
            total = self._totals[place, values] = _Total(
                Cell(self._borders[place], self._borders[place + 1]))
        if total.latest != resource_id:
            total.latest = resource_id
            total.resources += 1
        _sum(total.cell, cell)

    def rows(self, unit: str) -> list[Row]:
        """In order of time, then of groups; without groups none is left out.
        """
        if not self._question.by:
            for place, pair in enumerate(itertools.pairwise(self._borders)):
                self._totals.setdefault((place, ()), _Total(Cell(*pair)))
        return [_row(self._question.by, values, total, unit)
                for (_, values), total in sorted(
                    self._totals.items(), key=_order)]


def _order(item: tuple[tuple[int, _Values], _Total]
           ) -> tuple[int, list[tuple[bool, str]]]:
    """None comes first."""
    (place, values), _ = item
    return place, [(value is not None, value or '') for value in values]


def _part(cell: Cell, quantity: int, lower: int, upper: int | None) -> Cell:
    """An institution's part of a cell, with all the cell's seconds."""
    return Cell(cell.start, cell.end, quantity, lower, upper, cell.known,
                cell.estimated, cell.expected, cell.samples, cell.first,
                cell.last, cell.flags)


def _sum(total: Cell, cell: Cell) -> None:
    total.quantity += cell.quantity
    total.lower += cell.lower
    total.upper = (None if total.upper is None or cell.upper is None
                   else total.upper + cell.upper)
    total.known += cell.known
    total.estimated += cell.estimated
    total.expected += cell.expected
    total.samples += cell.samples
    total.first = min((at for at in (total.first, cell.first)
                       if at is not None), default=None)
    total.last = max((at for at in (total.last, cell.last)
                      if at is not None), default=None)
    total.flags |= cell.flags


def _row(by: Sequence[str], values: _Values, total: _Total,
         unit: str) -> Row:
    """The row as it is shown: quantities and seconds are decimal text."""
    cell = total.cell
    span = None
    if cell.first is not None and cell.last is not None:
        span = exact.seconds_text(cell.last - cell.first)
    return {
        'start': exact.instant_text(cell.start),
        'end': exact.instant_text(cell.end),
        **dict(zip(by, values, strict=True)),
        'quantity': exact.quantity_text(cell.quantity), 'unit': unit,
        'lower': exact.quantity_text(cell.lower),
        'upper': (None if cell.upper is None
                  else exact.quantity_text(cell.upper)),
        'coverage': (exact.ratio_text(cell.known, cell.expected)
                     if cell.expected else None),
        'status': status(cell),
        'known': exact.seconds_text(cell.known),
        'estimated': exact.seconds_text(cell.estimated),
        'expected': exact.seconds_text(cell.expected),
        'resources': total.resources, 'samples': cell.samples,
        'sample_span': span, 'flags': sorted(cell.flags)}


def status(cell: Cell) -> str:
    """How far a figure is to be trusted."""
    if not cell.expected:
        return 'not_expected'
    if not cell.known + cell.estimated:
        return 'missing'
    if cell.known + cell.estimated < cell.expected:
        return 'partial'
    guessed = cell.estimated or 'placement_estimated' in cell.flags
    return 'estimated' if guessed else 'complete'
