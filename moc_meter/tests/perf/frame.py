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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from moc_meter.tests.perf import profile
from moc_meter.tests.perf.data import SIZES
from moc_meter.tests.perf.databases import Databases
from moc_meter.tests.perf.progress import say as say

#: Other services; the names of their figures begin so.
PEERS = ('Ceilometer', 'Gnocchi')


def rate(done: int, seconds: float) -> float:
    """How much a second."""
    return done / seconds


def milliseconds(done: int, seconds: float) -> float:
    """How long each took."""
    return seconds * 1000 / done


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of those that do the same in turn.

    name: of its figure, 'COPY'; unit: of that, 'samples/s'.
    turn: does something, and returns how much it was.
    ready: makes what must be ready for that; called before each turn, off
        the clock.
    figure: of how much was done in how many seconds.
    pids: the processes that do it, where this one only asks.
    most: turns that it takes, since they last so long.
    """

    name: str
    unit: str
    turn: Callable[[], int]
    ready: Callable[[], None] = lambda: None
    figure: Callable[[int, float], float] = rate
    pids: Callable[[], Sequence[int]] | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What was measured, once or several times, in the order of turns."""

    name: str
    unit: str
    values: Sequence[float]

    @property
    def median(self) -> float:
        return statistics.median(self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What is promised: of a figure, or of its ratio to another one.

    of, by: names of figures; without ``by`` the figure itself is meant.
    least, most: one of them; in the figure's unit, or the ratio.
    """

    of: str
    by: str | None = None
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How to measure.

    rows: the sets of samples, of databases.SIZES, smallest first.
    turns: of each side.
    peers: whether other services are measured, too.
    profile: say where our side spends its time, instead of measuring.
    """

    databases: Databases
    rows: Sequence[str]
    turns: int
    peers: bool = False
    profile: bool = False

    @property
    def usual_rows(self) -> str:
        """The set of a target that names none: 10M, or less if it must."""
        return [size for size in self.rows
                if size != '43M' or self.rows == ['43M']][-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is promised, and how it is measured.

    figures: of one run. A bound of whose figures one is not among them is
        'not measured'; there may be none of another service, or of a set of
        samples (named at the end) that is not one of the run's.
    """

    name: str
    title: str
    bounds: Sequence[Bound]
    figures: Callable[[Setting], Iterable[Figure]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a bound came to; None where it was not measured.

    unit: of a figure; '' of a ratio.
    lowest, highest: of the turns; of a ratio, each by the turn beside it.
    """

    bound: Bound
    unit: str = ''
    measured: float | None = None
    lowest: float | None = None
    highest: float | None = None

    @property
    def holds(self) -> bool | None:
        if self.measured is None:
            return None
        least, most = self.bound.least, self.bound.most
        return ((least is None or self.measured >= least)
                and (most is None or self.measured <= most))


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a target came to."""

    target: str
    title: str
    figures: Sequence[Figure]
    verdicts: Sequence[Verdict]


def measured(targets: Iterable[Target], setting: Setting
             ) -> Iterator[Result]:
    """One target after the other.

    One that fails does not take the hours of the others with it: what they
    raised comes last, as an ExceptionGroup.
    """
    failures = []
    for target in targets:
        say(f'{target.name}: {target.title}')
        begun = time.monotonic()
        try:
            result = measure(target, setting)
        except Exception as failure:
            failure.add_note(f'of {target.name}')
            say(f'{target.name} failed: {failure!r}')
            failures.append(failure)
        else:
            yield result
        say(f'{target.name} took {time.monotonic() - begun:.0f} s')
    if failures:
        raise ExceptionGroup('not everything was measured', failures)


def measure(target: Target, setting: Setting) -> Result:
    figures = [*target.figures(setting)]
    named = {figure.name: figure for figure in figures}
    if not setting.profile:
        _check(target, named, setting.rows)
    return Result(target=target.name, title=target.title, figures=figures,
                  verdicts=[judged(bound, named) for bound in target.bounds])


def _check(target: Target, named: Mapping[str, Figure],
           rows: Sequence[str]) -> None:
    """Raises LookupError where a bound is of what nobody could measure.

    Otherwise a side that is renamed would be 'not measured' ever after.
    """
    left = [f', {size}' for size in SIZES if size not in rows]
    unknown = [
        name for bound in target.bounds for name in (bound.of, bound.by)
        if name and name not in named and not name.startswith(PEERS)
        and not name.endswith(tuple(left))]
    if unknown:
        raise LookupError(f'{target.name} has bounds of {unknown}, and only '
                          f'figures of {[*named]}')


def alternate(sides: Sequence[Side], setting: Setting) -> list[Figure]:
    """Every side in turn, so many times; a first turn of each is not counted.

    The first side is ours.
    """
    if setting.profile:
        for side in [side for side in sides if side.pids] or sides[:1]:
            profile.show(side.name, side.ready, side.turn, setting.turns,
                         side.pids)
        return []
    found: dict[str, list[float]] = {side.name: [] for side in sides}
    for turn in range(setting.turns + 1):
        for side in sides:
            if side.most and turn > side.most:
                continue
            figure = _figure(side)
            if turn:
                found[side.name].append(figure)
        say(f'turn {turn} of {setting.turns}')
    return [Figure(name=side.name, unit=side.unit, values=found[side.name])
            for side in sides]


def peers(target: str, data: object, setting: Setting) -> list[Side]:
    """Other services that do the same with the same data, where asked for.

    data: what the target is measured on.
    """
    if not setting.peers:
        return []
    from moc_meter.tests.perf import peers as others
    return others.sides(target, data)


def judged(bound: Bound, figures: Mapping[str, Figure]) -> Verdict:
    """A bound by the figures that there are, by name."""
    of = figures.get(bound.of)
    by = figures.get(bound.by) if bound.by else None
    if of is None or (bound.by and (by is None or not all(by.values))):
        return Verdict(bound=bound)
    if by is None:
        return _verdict(bound, of.unit, of.median, of.values)
    pairs = (zip(of.values, by.values, strict=True)
             if len(of.values) == len(by.values)
             else [(value, by.median) for value in of.values])
    return _verdict(bound, '', of.median / by.median,
                    [one / other for one, other in pairs])


def _verdict(bound: Bound, unit: str, measured: float,
             values: Sequence[float]) -> Verdict:
    return Verdict(bound=bound, unit=unit, measured=measured,
                   lowest=min(values), highest=max(values))


def _figure(side: Side) -> float:
    side.ready()
    begun = time.perf_counter()
    done = side.turn()
    return side.figure(done, time.perf_counter() - begun)
