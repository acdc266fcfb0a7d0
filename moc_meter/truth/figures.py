# SPDX-License-Identifier: Apache-2.0
"""Statistics of a meter, by unit, group and period, as the API defines them.

Volumes are added up as the integers they are; what is divided is a fraction
until the nearest double is taken of it, once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from moc_meter.truth import compare, instants, metadata, selection
from moc_meter.truth.compare import Entry, Fields, Identity
from moc_meter.truth.forms import SECOND, UNIT, Instant, Sample
from moc_meter.truth.questions import Question
from moc_meter.truth.selection import Selection

#: More bits than a double has, so that a root is rounded once.
_BITS = 80
_CARDINALITY = ('resource_id', 'project_id', 'user_id', 'source')

Group = tuple[str | None, ...]


@dataclass(slots=True)
class Figures:
    """What is known of the samples of one row."""

    first: Instant
    last: Instant
    count: int = 0
    sum: int = 0
    squares: int = 0
    min: int = 0
    max: int = 0
    seen: Mapping[str, set[object]] = field(default_factory=dict)

    def add(self, sample: Sample) -> None:
        volume = sample.volume
        if not self.count:
            self.min = self.max = volume
        self.count += 1
        self.sum += volume
        self.squares += volume * volume
        self.min = min(self.min, volume)
        self.max = max(self.max, volume)
        self.first = min(self.first, sample.timestamp)
        self.last = max(self.last, sample.timestamp)
        for name, values in self.seen.items():
            if (value := getattr(sample, name)) is not None:
                values.add(value)

    def figure(self, function: str, param: str | None) -> Fraction | float:
        """Exact, or the nearest double where it is a quotient or a root."""
        match function:
            case 'count':
                return Fraction(self.count)
            case 'avg':
                return float(Fraction(self.sum, self.count * UNIT))
            case 'stddev':
                return deviation(self.count, self.sum, self.squares)
            case 'cardinality' if param:
                return Fraction(len(self.seen[param]))
            case 'sum' | 'min' | 'max':
                return Fraction(getattr(self, function), UNIT)
        raise ValueError(f'no such function: {function}')


def deviation(count: int, total: int, squares: int) -> float:
    """The population's standard deviation: the nearest double.

    total, squares: of volumes in units of 10**-9 and of their squares. The
        root is cut off far below a double's last bit.
    """
    root = math.isqrt((count * squares - total * total) << (2 * _BITS))
    return float(Fraction(root, (count * UNIT) << _BITS))


class Statistics:
    """An answer of /v2/meters/{name}/statistics, while samples come in.

    nudge: microseconds that a sample is taken to be later when its period is
        looked for; 0 but where a fault is being thought through.
    """

    def __init__(self, question: Question, chosen: Selection,
                 *, nudge: int = 0) -> None:
        self.selection = chosen
        self._question = question
        self._nudge = nudge
        self._step = (question.period or 0) * SECOND
        self._origin = chosen.lower
        self._groups = [_grouping(name) for name in question.groupby]
        self._rows: dict[tuple[str, Group, int], Figures] = {}
        self._counted = sorted({param for _, param in question.aggregates
                                if param is not None})
        if unknown := set(self._counted) - set(_CARDINALITY):
            raise ValueError(f'cardinality of {unknown} is not known')
        for function, param in question.aggregates:
            if function != 'cardinality' or param is None:
                Figures(0, 0, 1).figure(function, param)

    def take(self, sample: Sample) -> None:
        """sample: one of the selection.

        Where periods count from the earliest one, they come in order of
        time; raises ValueError where they do not.
        """
        group = tuple(of(sample) for of in self._groups)
        place = self._period(sample.timestamp) if self._step else 0
        if self._groups and _LACKING in group:
            return
        row = self._rows.get(key := (sample.unit, group, place))
        if row is None:
            row = self._rows[key] = Figures(
                sample.timestamp, sample.timestamp,
                seen={name: set() for name in self._counted})
        row.add(sample)

    def _period(self, timestamp: Instant) -> int:
        if self._origin is None:
            self._origin = timestamp
        if timestamp < self._origin and self.selection.lower is None:
            raise ValueError('samples do not come in order of time')
        return (timestamp + self._nudge - self._origin) // self._step

    def entries(self) -> list[Entry]:
        """The rows."""
        rows = [self._row(unit, group, place, figures) for
                (unit, group, place), figures in self._rows.items()]
        found = [Entry(identity(row, self._step), row['period_start'], [row])
                 for row in rows]
        return sorted(found, key=lambda entry: (entry.order,
                                                str(entry.identity)))

    def shown(self) -> list[Fields]:
        return [entry.accepted[0] for entry in self.entries()]

    def differences(self, status: int, got: object
                    ) -> list[compare.Difference]:
        if status != 200:
            return [compare.Difference(where='answer', field='status',
                                       got=status, want=200)]
        return compare.lists(got, self.entries(), None,
                             lambda row: identity(row, self._step))

    def _row(self, unit: str, group: Group, place: int,
             figures: Figures) -> Fields:
        asked = self._question
        start, end = figures.first, figures.last
        if self._step:
            start = (self._origin or 0) + place * self._step
            end = start + self._step
        return {
            'unit': unit, 'period': asked.period or 0,
            'groupby': dict(zip(asked.groupby, group, strict=True)) or None,
            'period_start': instants.show(start),
            'period_end': instants.show(end),
            **self._duration(figures), **_values(asked, figures)}

    def _duration(self, figures: Figures) -> Fields:
        """First and last sample, within the range that was asked for.

        Nothing, where all that a search offset found lies outside of it.
        """
        chosen = self.selection
        start = max(figures.first, figures.first
                    if chosen.lower is None else chosen.lower)
        end = min(figures.last, figures.last
                  if chosen.upper is None else chosen.upper)
        names = ('duration_start', 'duration_end', 'duration')
        if start > end:
            return dict.fromkeys(names)
        return dict(zip(names, (
            instants.show(start), instants.show(end),
            float(Fraction(end - start, SECOND))), strict=True))


_PLAIN = ('count', 'sum', 'min', 'max', 'avg')
#: In place of the text of a path that a sample's metadata has not.
_LACKING = '\0'


def _values(asked: Question, figures: Figures) -> Fields:
    plain = {name: figures.figure(name, None) for name in _PLAIN}
    if not asked.aggregates:
        return {**plain, 'aggregate': None}
    return {**dict.fromkeys(_PLAIN), 'aggregate': {
        f'{function}/{param}' if param else function:
            figures.figure(function, param)
        for function, param in asked.aggregates}}


def _grouping(name: str) -> Callable[[Sample], str | None]:
    if name in _CARDINALITY:
        return lambda sample: getattr(sample, name)
    path = selection.path_of(name)
    if not path:
        raise ValueError(f'there is no grouping by {name}')

    def group(sample: Sample) -> str | None:
        return next(map(str, metadata.at(sample.metadata, path)), _LACKING)

    return group


def identity(row: object, step: int) -> Identity:
    """What tells a row from the others of its answer; whatever it is."""
    if not isinstance(row, Mapping):
        return ('row',)
    said = row.get('groupby')
    group = said if isinstance(said, Mapping) else {}
    return ('row', compare.said(row, 'unit'),
            compare.said(row, 'period_start') if step else None,
            *(f'{name}={group[name]}' for name in sorted(group)))
