# SPDX-License-Identifier: Apache-2.0
"""Samples that are made when something happens, and those of programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from moc_meter.truth import calendar, meters
from moc_meter.truth.course import Course, Described, flavor
from moc_meter.truth.facts import Frame
from moc_meter.truth.forms import UNIT, Facts, Holder, Missing, Sample
from moc_meter.truth.seed import Dice, digest, mixed

#: A dyadic volume is a multiple of this: 2**-9.
DYADIC = UNIT // 512
_NOTHING = Described()
#: Meters of programs that may tell what they were counted in.
_TELLING = ('web.requests', 'pages.printed')
#: One in so many messages never arrives.
LOST = 256


def figures(kind: str, holder: Holder) -> list[tuple[str, int]]:
    """What a resource holds, by meter, in whole units."""
    said = holder.metadata
    match kind:
        case 'instance':
            of = flavor(holder)
            return [('vcpus', of['vcpus']), ('memory', of['ram']),
                    ('disk.root.size', of['disk'])]
        case 'volume' | 'snapshot' | 'image':
            return [(f'{kind}.size', int(str(said['size'])))]
        case _:
            return [(kind, 1)]


def of_course(source: str, legacy: frozenset[str],
              course: Course) -> Iterator[Sample | Missing]:
    """Of every event in a life, what the resource holds from then on.

    legacy: projects whose site says units as older services do.
    """
    life = course.life
    for event in course.events:
        if event.what == 'ask':
            continue
        holder = event.holder
        old = holder.project_id in legacy
        for meter, figure in figures(life.type, holder):
            name = digest(f'{source}\0{life.resource_id}\0{meter}\0'
                          f'{event.what}\0{event.at}')
            if int(name[:8], 16) % LOST == 0:
                yield Missing(timestamp=event.at, meter=meter,
                              resource_id=life.resource_id,
                              project_id=holder.project_id, reason='lost')
                continue
            yield Sample(source, name, event.at, meter, 'gauge',
                         meters.SAID[meter][old], figure * UNIT,
                         life.resource_id, holder.project_id, holder.user_id,
                         holder.metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program that pushes samples of its own; it has no life."""

    meter: str
    kind: str
    units: tuple[str, ...]
    resource_id: str
    project_id: str | None
    user_id: str | None
    metadata: Described
    #: Whether it says what a delta was counted in, and when a counter was 0.
    tells: bool


def programs(frame: Frame, facts: Facts) -> list[Program]:
    """Those of a world; of some, nobody is the user or the project.

    In some worlds those that count tell more of that than others do.
    """
    found = []
    tells = not frame.scale.plain and frame.dice('tells').chance(2)
    place = f'{frame.seed}-{digest(frame.source)[:8]}'
    for number, (meter, kind, units) in enumerate((
            ('mail.processed', 'delta', ('mail', 'message')),
            ('web.requests', 'delta', ('request',)),
            ('account.balance', 'gauge', ('EUR', 'CHF')),
            ('archive.size', 'gauge', ('B',)),
            ('pages.printed', 'cumulative', ('page',)))):
        dice = frame.dice('program', number)
        found.append(Program(
            meter=meter, kind=kind, units=units,
            resource_id=frame.named(
                dice, f'{meter.partition(".")[0]}-{place}'),
            project_id=None if number == 0 else dice.one(facts.projects).id,
            user_id=None if number < 2 else dice.one(facts.users).id,
            metadata=_NOTHING if number == 4 else Described(
                version=number, region={'name': dice.one(facts.sites)},
                beta=number % 2 == 0, ratio=number / 4,
                **({'depth': -number, 'offset': -number / 4}
                   if frame.strange else {})),
            tells=tells and meter in _TELLING))
    return found


def of_program(frame: Frame, source: str, decimals: bool,
               program: Program) -> Iterator[Sample]:
    """Often exactly on a border of time, or a microsecond beside it."""
    dice = frame.dice('pushes', program.meter)
    count = frame.scale.pushes
    slot = (frame.end - frame.start) // count
    last = zero = frame.start
    total = 0
    for number in range(count):
        at = frame.start + number * slot + dice.below(slot)
        near = calendar.border(dice, at, frame.zone)
        if dice.chance(3) and near > last:
            at = near
        elif dice.chance(12) and number:
            at = last       # two of one series at one instant
        before, last = last, min(max(at, last), frame.end - 1)
        volume = _volume(dice, program, decimals)
        if program.kind == 'cumulative':
            total = volume = total + volume if dice.below(20) else 0
            zero = zero if volume else last
        counts = program.tells and program.kind == 'cumulative'
        yield Sample(
            source, f'{source}:{program.resource_id}:{number}', last,
            program.meter, program.kind,
            program.units[mixed(number) % len(program.units)],
            volume, program.resource_id, program.project_id, program.user_id,
            program.metadata,
            interval=(before, last)
            if program.tells and program.kind == 'delta' else None,
            counter_start=zero if counts else None,
            sequence=number if counts else None)


def _volume(dice: Dice, program: Program, decimals: bool) -> int:
    """Dyadic, or of nine digits, sometimes beyond what a double can tell."""
    if program.meter == 'archive.size' and decimals:
        return dice.below(10 ** 10) * 10 ** 18 + dice.below(10 ** 15)
    low = 0
    if program.meter == 'account.balance':
        low = -2 ** 19
    found = dice.between(low, 2 ** 20) * DYADIC
    return found + dice.below(DYADIC) if decimals else found
