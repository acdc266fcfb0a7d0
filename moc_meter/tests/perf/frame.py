# SPDX-License-Identifier: Apache-2.0
"""Measuring something beside what a user would take instead.

Machines differ, and the same machine from hour to hour; so a figure says
something only beside another one of the same minutes. What is measured and
its references do the same turn after turn (A B A B …), and what counts is the
ratio of their medians.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

#: What a side does in one turn; returns how much it was, in the target's
#: unit. What must be ready before the clock runs is made by ``ready``.
Turn = Callable[[], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of those that are measured.

    ready: called before each turn, off the clock.
    """

    name: str
    turn: Turn
    ready: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is promised: so many times as fast as each of the references.

    least: by the reference's name, the ratio that is to be reached. One that
        nobody has set up is 'not measured'.
    sides: sets up what is needed; the first side is ours.
    """

    name: str
    title: str
    unit: str
    least: Mapping[str, float]
    sides: Callable[[], AbstractContextManager[Sequence[Side]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Ours by a reference's, as it was measured.

    lowest, highest: of the turns, each by the reference's turn beside it.
    """

    reference: str
    least: float
    measured: float | None = None
    lowest: float | None = None
    highest: float | None = None

    @property
    def holds(self) -> bool | None:
        """None where nothing is known."""
        return None if self.measured is None else self.measured >= self.least

    def __str__(self) -> str:
        if self.measured is None:
            return (f'{self.reference}: not measured '
                    f'(target {self.least:g})')
        return (f'{self.reference}: {self.measured:.3g} '
                f'({self.lowest:.3g} … {self.highest:.3g}), target '
                f'{self.least:g}: {"holds" if self.holds else "MISSED"}')


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a target came to.

    rates: of each side, in the target's unit a second, in order of turns.
    """

    target: str
    title: str
    unit: str
    rates: Mapping[str, Sequence[float]]
    ratios: Sequence[Ratio]

    def lines(self) -> Iterator[str]:
        yield f'{self.target}: {self.title}'
        for name, rates in self.rates.items():
            yield (f'  {name}: {statistics.median(rates):,.0f} {self.unit}/s '
                   f'({min(rates):,.0f} … {max(rates):,.0f}, '
                   f'{len(rates)} turns)')
        for ratio in self.ratios:
            yield f'  by {ratio}'


def measure(target: Target, turns: int) -> Result:
    """Every side in turn, so many times; a first turn of each is not counted.
    """
    rates: dict[str, list[float]] = {}
    with target.sides() as sides:
        for turn in range(turns + 1):
            for side in sides:
                rate = _rate(side)
                if turn:
                    rates.setdefault(side.name, []).append(rate)
    ours = next(iter(rates.values()))
    return Result(
        target=target.name, title=target.title, unit=target.unit,
        rates=rates, ratios=[
            _ratio(name, least, ours, rates.get(name))
            for name, least in target.least.items()])


def _rate(side: Side) -> float:
    side.ready()
    begun = time.perf_counter()
    done = side.turn()
    return done / (time.perf_counter() - begun)


def _ratio(name: str, least: float, ours: Sequence[float],
           theirs: Sequence[float] | None) -> Ratio:
    if theirs is None:
        return Ratio(reference=name, least=least)
    each = [one / other for one, other in zip(ours, theirs, strict=True)]
    return Ratio(
        reference=name, least=least, lowest=min(each), highest=max(each),
        measured=statistics.median(ours) / statistics.median(theirs))
