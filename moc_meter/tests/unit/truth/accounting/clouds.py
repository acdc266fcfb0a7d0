# SPDX-License-Identifier: Apache-2.0
"""Clouds of a few samples, to ask about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from moc_meter.truth import instants, usage
from moc_meter.truth.accounting.rows import Row
from moc_meter.truth.forms import (
    UNIT,
    Facts,
    Holder,
    Instant,
    Interval,
    Life,
    Meter,
    Missing,
    Project,
    Sample,
    Share,
    User,
)


def at(text: str) -> Instant:
    """The instant of '2026-03-01 22:00', in UTC."""
    return instants.parse(text)


def sample(text: str | Instant, volume: int | Fraction = 1,
           meter: Meter | None = None, *, resource: str = 'r-1',
           message_id: str = '', project: str | None = 'p-1',
           user: str | None = 'u-1',
           metadata: Mapping[str, object] | None = None,
           interval: Interval | None = None,
           counter_start: Instant | None = None,
           sequence: int | None = None) -> Sample:
    when = at(text) if isinstance(text, str) else text
    meter = meter or VCPUS
    return Sample(
        's', message_id or f'{resource}-{when}', when, meter.name,
        meter.kind, meter.unit, int(volume * UNIT), resource, project, user,
        metadata or {}, interval, counter_start, sequence)


def life(created: str, deleted: str | None = None, *, resource: str = 'r-1',
         kind: str = 'instance', states: Sequence[tuple[str, str]] = (),
         holders: Sequence[tuple[str, str]] = ()) -> Life:
    """holders: since when a project had it."""
    return Life(
        resource_id=resource, type=kind, created=at(created),
        deleted=at(deleted) if deleted else None,
        states=tuple((at(since), state) for since, state in states),
        holders=tuple(
            Holder(at(since), project, 'u-1', None, {})
            for since, project in holders or [(created, 'p-1')]))


def share(institution: str, part: str, since: str = '2000-01-01',
          until: str | None = None, project: str = 'p-1') -> Share:
    return Share(project_id=project, institution=institution,
                 share=Fraction(part), since=at(since),
                 until=at(until) if until else None)


VCPUS = Meter(name='vcpus', kind='gauge', unit='vcpu')


@dataclass(kw_only=True)
class Cloud:
    """One meter, and what is said of it."""

    start: Instant
    end: Instant
    zone: str = 'UTC'
    meter: Meter = VCPUS
    made: Sequence[Sample] = ()
    lived: Sequence[Life] = ()
    lost: Sequence[Missing] = ()
    shares: Sequence[Share] = ()
    projects: Sequence[Project] = field(default_factory=lambda: [
        Project(id='p-1', name='p-1', parent=None, site='s'),
        Project(id='p-2', name='p-2', parent='p-1', site='s')])

    @property
    def facts(self) -> Facts:
        return Facts(
            sites=('s',), institutions=('A', 'B'), hosts=(),
            projects=tuple(self.projects), shares=tuple(self.shares),
            users=(User(id='u-1', name='U', institution='A'),),
            meters={self.meter.name: self.meter})

    def lives(self) -> Iterator[Life]:
        return iter(self.lived)

    def samples(self) -> Iterator[Sample]:
        return iter(self.made)

    def missing(self) -> Iterator[Missing]:
        return iter(self.lost)

    def ask(self, question: str = '') -> list[Row]:
        """Usage of the meter; question: what follows its name."""
        return usage.answer(self, f'/truth/usage/{self.meter.name}{question}')

    def quantities(self, question: str = '') -> list[object]:
        return [row['quantity'] for row in self.ask(question)]


def cloud(start: str, end: str, meter: Meter = VCPUS,
          made: Sequence[Sample] = (), lived: Sequence[Life] = (),
          shares: Sequence[Share] = (), zone: str = 'UTC') -> Cloud:
    return Cloud(start=at(start), end=at(end), meter=meter, made=made,
                 lived=lived, shares=shares, zone=zone)


def units(quantity: object) -> int:
    """A shown quantity in units of 10**-9."""
    assert isinstance(quantity, str)
    return int(Fraction(quantity) * UNIT)


def hours(quantity: object) -> object:
    """Unit-hours of a shown quantity in unit-seconds."""
    assert isinstance(quantity, str)
    return Fraction(quantity) / 3600
