# SPDX-License-Identifier: Apache-2.0
"""Statistics drawn: small in a terminal; picture.py does it in a file.

A period without samples is a gap: nothing is known of it, which is not 0.
"""

from __future__ import annotations

import datetime
import unicodedata
import zoneinfo
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from moc_meter import errors
from moc_meter.client import readable
from moc_meter.client.models import Statistics
from moc_meter.client.times import Period

#: Figures that have no unit.
_COUNTS: Final = ('count', 'cardinality')
_HEIGHT: Final = 8
#: Of each of several plots, one above the other.
_LESS: Final = 3
_NARROW: Final = 8
_UP: Final = ' ▁▂▃▄▅▆▇█'
_RIGHT: Final = ' ▏▎▍▌▋▊▉█'
_DOWN: Final = ' ▀█'
_DAY: Final = datetime.timedelta(hours=23)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A figure of [start, end)."""

    start: datetime.datetime
    end: datetime.datetime
    value: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The bars of one group, in order of time."""

    label: str                  # 'genomics, ssd'; '' where there is one only
    unit: str                   # '' of what is counted
    bars: tuple[Bar, ...]


def series(rows: Iterable[Statistics], figure: str) -> list[Series]:
    """What to draw of the rows, by group and unit, in their order.

    figure: 'avg', or an aggregate: 'cardinality/resource_id'. Raises
    InvalidQuery where a row does not have it.
    """
    counts = figure.partition('/')[0] in _COUNTS
    found: dict[tuple[str, str], list[Bar]] = {}
    for row in rows:
        value = (row.aggregate or {}).get(figure)
        if value is None:
            value = getattr(row, figure, None)
        if not isinstance(value, Decimal | int):
            raise errors.InvalidQuery(
                'the answer has no such figure to plot', figure=figure)
        label = ', '.join(map(_shown, (row.groupby or {}).values()))
        found.setdefault((label, row.unit), []).append(Bar(
            start=row.period_start, end=row.period_end,
            value=Decimal(value)))
    return [Series(label=label, unit='' if counts else unit,
                   bars=tuple(sorted(bars, key=lambda bar: bar.start)))
            for (label, unit), bars in found.items()]


def _shown(text: str | None) -> str:
    """On one line and harmless to a terminal."""
    return ''.join(one if one.isprintable() else '\N{REPLACEMENT CHARACTER}'
                   for one in str(text))


def over_time(drawn: Sequence[Series]) -> bool:
    """Whether there is a course of time to see, or only groups."""
    return any(len(one.bars) > 1 for one in drawn)


def text(drawn: Sequence[Series], within: Period, width: int
         ) -> Iterator[str]:
    """The lines of a plot that is at most so many columns wide.

    within: what was asked for.
    """
    if not over_time(drawn):
        yield from _compared(drawn, width)
        return
    bars = [bar for one in drawn for bar in one.bars]
    start, end = bounds(bars, within)
    scales = {unit: _Scale(
        [bar.value for one in drawn if one.unit == unit for bar in one.bars],
        unit, _HEIGHT if len(drawn) == 1 else _LESS)
        for unit in {one.unit for one in drawn}}
    left = max(scale.left for scale in scales.values())
    columns = max(_NARROW, width - left - 1)
    periods = (end - start) // min(bar.end - bar.start for bar in bars)
    if periods <= columns:
        # Each begins where a column does.
        columns = columns // periods * periods
    cells = [_columns(one.bars, start, end, columns) for one in drawn]
    for one, values in zip(drawn, cells, strict=True):
        if one.label:
            yield _fitting(one.label, width)
        yield from scales[one.unit].lines(
            [max(each, default=None) for each in values], left)
    for line in (_ends(start, end, within.zone, columns), *_notes(cells)):
        yield ' ' * (left + 1) + line


def bounds(bars: Sequence[Bar], within: Period
           ) -> tuple[datetime.datetime, datetime.datetime]:
    """From when to when: all that was asked for, as far as that is known."""
    starts, ends = [bar.start for bar in bars], [bar.end for bar in bars]
    return (min(starts) if within.start is None
            else min(*starts, within.start),
            max(ends) if within.end is None else max(*ends, within.end))


def _notes(cells: Sequence[Sequence[Sequence[Decimal]]]) -> Iterator[str]:
    """What a reader has to know besides."""
    counts = [len(values) for one in cells for values in one]
    if not min(counts):
        yield '· no samples'
    if (most := max(counts)) > 1:
        yield f'each column is the largest of up to {most} periods'


def _columns(bars: Sequence[Bar], start: datetime.datetime,
             end: datetime.datetime, count: int) -> list[list[Decimal]]:
    """The values in each of so many equal parts of the time.

    Those that begin in it; else the one that holds still.
    """
    found: list[list[Decimal]] = [[] for _ in range(count)]
    for bar in bars:
        first = (bar.start - start) * count // (end - start)
        found[first].append(bar.value)
    for bar in bars:
        first = (bar.start - start) * count // (end - start)
        last = -((start - bar.end) * count // (end - start))
        for values in found[first + 1:last]:
            if not values:
                values.append(bar.value)
    return found


def _ends(start: datetime.datetime, end: datetime.datetime,
          zone: zoneinfo.ZoneInfo, columns: int) -> str:
    """When the plot begins, and when it ends."""
    shape = '%Y-%m-%d' if end - start > 2 * _DAY else '%m-%d %H:%M'
    first, last = (moment.astimezone(zone).strftime(shape)
                   for moment in (start, end))
    return f'{first}{last:>{max(columns - len(first), len(last) + 1)}}'


class _Scale:
    """Values of one unit as blocks above and below a line at 0."""

    def __init__(self, values: Sequence[Decimal], unit: str, height: int
                 ) -> None:
        low, high = min(*values, Decimal(0)), max(*values, Decimal(0))
        self._below = int(-low * height / (high - low)) if low else 0
        if low and high > 0:
            self._below = max(1, min(self._below, height - 1))
        self._above = height - self._below
        #: What one line is worth.
        self._step = max(high / (self._above or 1),
                         -low / (self._below or 1)) or Decimal(1)
        self._names = {self._above - 1: readable.quantity(high, unit),
                       -1: readable.quantity(Decimal(0), unit)}
        if low:
            self._names[-1 - self._below] = readable.quantity(low, unit)

    @property
    def left(self) -> int:
        """Columns of its labels."""
        return max(map(len, self._names.values()))

    def lines(self, values: Sequence[Decimal | None], left: int
              ) -> Iterator[str]:
        for line in range(self._above - 1, -1, -1):
            yield self._line(line, left, (
                _block(value, self._step, line, _UP) for value in values))
        yield self._line(-1, left, ('·' if value is None else '─'
                                    for value in values))
        for line in range(self._below):
            yield self._line(-2 - line, left, (
                _block(value and -value, self._step, line, _DOWN)
                for value in values))

    def _line(self, number: int, left: int, cells: Iterable[str]) -> str:
        name = self._names.get(number, '')
        return f'{name:>{left}} {"".join(cells)}'.rstrip()


def _block(value: Decimal | None, step: Decimal, line: int, blocks: str
           ) -> str:
    """What is to be seen of a bar in a line, counted from 0."""
    if value is None or value <= 0:
        return ' '
    parts = len(blocks) - 1
    # The smallest of all can be seen, too.
    length = max(1, round(value / step * parts))
    return blocks[max(0, min(parts, length - line * parts))]


def _compared(drawn: Sequence[Series], width: int) -> Iterator[str]:
    """A line for each group, the longest as wide as there is room."""
    bars = [(one, bar.value) for one in drawn for bar in one.bars]
    names = [_fitting(one.label, width // 3) for one, _ in bars]
    values = [readable.quantity(value, one.unit) for one, value in bars]
    left, right = (max(map(_wide, texts), default=0)
                   for texts in (names, values))
    room = max(_NARROW, width - left - right - 3)
    for (one, value), name, shown in zip(bars, names, values, strict=True):
        most = max(abs(other) for found, other in bars
                   if found.unit == one.unit)
        length = round(abs(value) / (most or 1) * room * 8)
        bar = '█' * (length // 8) + _RIGHT[length % 8].strip()
        yield (f'{name}{" " * (left - _wide(name))} │'
               f'{bar}{" " if bar else ""}{shown}')


def _fitting(text: str, width: int) -> str:
    """Cut where it is longer than so many columns."""
    if _wide(text) <= width:
        return text
    while text and _wide(text) >= width:
        text = text[:-1]
    return f'{text}…'


def _wide(text: str) -> int:
    """The columns that a terminal shows it in."""
    return sum(0 if unicodedata.combining(one)
               else 2 if unicodedata.east_asian_width(one) in 'WF' else 1
               for one in text)
