# SPDX-License-Identifier: Apache-2.0
"""A made-up research cloud: a function of a seed and a scale."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from functools import cached_property

from moc_meter.truth import (
    calendar,
    compute,
    delivery,
    facts,
    networks,
    said,
    storage,
)
from moc_meter.truth.course import Course
from moc_meter.truth.forms import SECOND, Facts, Instant, Life, Missing, Sample
from moc_meter.truth.guest import Guest
from moc_meter.truth.life import Population
from moc_meter.truth.merged import Merged
from moc_meter.truth.notifications import Notification, Teller, Told, doubled
from moc_meter.truth.polled import Pollers
from moc_meter.truth.readings import Reading, View, expected
from moc_meter.truth.scale import scale as scale_of
from moc_meter.truth.seed import Dice

Made = Iterator[Sample | Missing]

#: Within so many from 2024 on a world lies: in the past, whenever it is made.
_DAYS = 900

#: What services say of a resource, by its type.
SPEAKERS = {'instance': (compute.told, networks.port),
            'volume': (storage.volume,), 'snapshot': (storage.snapshot,),
            'image': (storage.image,), 'network': (networks.network,),
            'ip.floating': (networks.floating,)}


class World:
    """Everything that is to be known of one made-up cloud.

    decimals: whether volumes have nine decimal digits, and some more than a
        double can tell; otherwise they are multiples of 2**-9.
    source: the deployment that its samples say they are of; that of another
        source has other resources and ids, and is the same otherwise.
    Raises ValueError where there is no such scale, or the source is ''.
    """

    def __init__(self, seed: int, scale: str = 'small', *,
                 decimals: bool = False, source: str | None = None) -> None:
        self.seed, self.decimals = seed, decimals
        self.scale = scale
        if source == '':
            raise ValueError('a source needs a name')
        self.source = f'truth-{seed}' if source is None else source
        numbers = scale_of(scale)
        dice = Dice(seed, 'world')
        self.zone = numbers.zone or dice.one(calendar.ZONES)
        first = _first_day(dice, numbers.year, numbers.days, self.zone)
        self.start: Instant = calendar.day_start(first, self.zone)
        self.end: Instant = calendar.day_start(
            first + datetime.timedelta(days=numbers.days), self.zone)
        self.frame = facts.Frame(
            seed=seed, source=self.source, scale=numbers,
            start=self.start, end=self.end, zone=self.zone,
            strange=not numbers.plain and dice.chance(2),
            wraps=dice.chance(2) and numbers.step <= 3600)

    @cached_property
    def facts(self) -> Facts:
        """What holds of it as a whole."""
        return facts.facts(self.frame)

    @cached_property
    def population(self) -> Population:
        """Everything that lives in it."""
        return Population(self.frame, self.facts)

    def lives(self) -> Iterator[Life]:
        """Of every resource, in order of birth.

        An instance is followed by its interface, which has samples of its
        own. Programs that push samples have no life.
        """
        for course in self.population.courses():
            yield course.life
            if course.interface:
                yield course.interface

    def samples(self) -> Iterator[Sample]:
        """All that arrives, once each, in order of time."""
        return (made for made in self._made() if type(made) is Sample)

    def missing(self) -> Iterator[Missing]:
        """All that should be there and is not, in order of time."""
        return (made for made in self._made() if type(made) is Missing)

    def delivered(self, order: str = 'arrival') -> Iterator[Sample]:
        """The samples as they are sent: late, doubled, out of order."""
        return delivery.delivered(self.frame, self.samples(), order)

    def notifications(self) -> Iterator[Notification]:
        """What the services say of it all; some of that twice."""
        return doubled(self.frame, self._told())

    def notified(self) -> Iterator[Sample]:
        """The samples that come of these in profiles metric, existence."""
        return (sample for told in self._told() for sample in told.samples)

    def readings(self) -> Iterator[Reading]:
        """What pollers see, by tick and guest."""
        view = View(self.frame, self.facts.hosts)
        for tick, _, guests in self._ticks():
            yield from view.tick(tick, guests)

    def polled(self) -> Iterator[Sample]:
        """The samples that the core pollers make of these."""
        return (sample for reading in self.readings()
                for sample in expected(self.source, reading))

    def _made(self) -> Made:
        """All that was made, in order of time."""
        legacy = self._legacy
        pollers = Pollers(self.frame, self.source, self.decimals,
                          self.facts.hosts, legacy)
        speakers: Merged[Sample | Missing] = Merged(
            said.of_program(self.frame, self.source, self.decimals, program)
            for program in said.programs(self.frame, self.facts))
        for tick, born, guests in self._ticks():
            for course in born:
                speakers.add(said.of_course(self.source, legacy, course))
            yield from speakers.until(tick)
            yield from pollers.tick(tick, guests)
        yield from speakers.until(self.end + 1)

    def _told(self) -> Iterator[Told]:
        """All that services say, in order of time."""
        teller = Teller(self.frame, self.source)
        speakers: Merged[Told] = Merged()
        for tick, born, _ in self._ticks():
            for course in born:
                for speaker in SPEAKERS[course.life.type]:
                    speakers.add(speaker(teller, course))
            yield from speakers.until(tick)
        yield from speakers.until(self.end + 1)

    def _ticks(self) -> Iterator[tuple[Instant, list[Course], list[Guest]]]:
        """Every tick; who was born since the one before; who may be polled.

        One more comes after the end, for those who were born last.
        """
        step = self.frame.scale.step * SECOND
        births = iter(self.population.births())
        birth = next(births, None)
        guests: list[Guest] = []
        for tick in range(-(-self.start // step) * step, self.end + step,
                          step):
            born = []
            while birth and birth[0] <= tick:
                born.append(self.population.course(birth))
                birth = next(births, None)
            guests += [Guest(self.frame.seed, course) for course in born
                       if course.interface]
            guests = [guest for guest in guests if tick < guest.end]
            yield tick, born, guests if tick < self.end else []

    @cached_property
    def _legacy(self) -> frozenset[str]:
        """Projects at the site whose services are old, if there is one."""
        is_old = self.seed % 2 and not self.frame.scale.plain
        old = self.facts.sites[-1] if is_old else None
        return frozenset(project.id for project in self.facts.projects
                         if project.site == old)


def _first_day(dice: Dice, year: int | None, days: int,
               zone: str) -> datetime.date:
    """Of half the worlds such that a day of 23 or 25 hours is within.

    In half of the others a month begins; and there are zones without such.
    """
    if year is not None:
        return datetime.date(year, 1, 1)
    earliest = datetime.date(2024, 1, 1)
    latest = earliest + datetime.timedelta(days=_DAYS - days)
    back = datetime.timedelta(days=dice.below(days))
    odd = calendar.odd_days(earliest, _DAYS, zone)
    if odd and dice.chance(2):
        return min(dice.one(odd) - back, latest)
    day = earliest + datetime.timedelta(days=dice.below(_DAYS))
    if dice.chance(2):
        day = day.replace(day=1) - back
    return min(day, latest)
