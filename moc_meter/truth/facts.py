# SPDX-License-Identifier: Apache-2.0
"""Who there is in a made-up cloud, who pays, and what broke when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from moc_meter.truth import calendar, meters
from moc_meter.truth.forms import (
    SECOND,
    Facts,
    Host,
    Instant,
    Project,
    Share,
    User,
)
from moc_meter.truth.scale import Scale
from moc_meter.truth.seed import Dice

#: All of them invented.
_INSTITUTIONS = (
    'Wexbridge University', 'Halden Institute of Technology',
    'Northmoor State University', 'Saint Aldric Medical College',
    'Universität Rheinfelde', 'Kestrel Bay College',
    'Institute of Marine Computing', 'Université du Valdor')
_SITES = ('north-hall', 'river-lab', 'old-mill')
_TOPICS = ('climate', 'genomics', 'astro', 'materials', 'speech', 'robotics',
           'imaging', 'hydrology', 'seismic', 'economics', 'linguistics',
           'teaching')
_NAMES = ('amara', 'bjorn', 'chen', 'dilnoza', 'emeka', 'freya', 'goran',
          'hana', 'ines', 'jarek', 'kofi', 'leila')
#: Ways to name a thing that are unusual and legal.
_STRANGE = ('{} größe', '{}/ß', 'Ж {}', '{}%2F?&=#+', '{} "quoted"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What a world is made within."""

    seed: int
    source: str
    scale: Scale
    start: Instant
    end: Instant
    zone: str
    strange: bool               # whether names are unusual
    wraps: bool                 # whether interfaces count in 32 bits

    def dice(self, *parts: object) -> Dice:
        """Throws of one thing's own in this world."""
        return Dice(self.seed, *parts)

    def named(self, dice: Dice, name: str) -> str:
        """The name, or an unusual one in its place."""
        if self.strange and dice.chance(4):
            return dice.one(_STRANGE).format(name)
        return name


def facts(frame: Frame) -> Facts:
    """All that holds of a world as a whole."""
    dice = frame.dice('facts')
    institutions = tuple(_many(_INSTITUTIONS, frame.scale.institutions))
    sites = _SITES[:max(1, min(3, frame.scale.hosts // 2))]
    projects = tuple(_projects(frame, dice, sites))
    users = tuple(
        User(id=frame.named(dice, f'u-{name}'), name=name.capitalize(),
             institution=dice.one(institutions))
        for name in _many(_NAMES, frame.scale.projects + 2))
    return Facts(
        sites=sites, institutions=institutions, projects=projects,
        users=users, hosts=tuple(_hosts(frame, sites)),
        shares=tuple(_shares(frame, dice, projects, institutions)),
        meters=meters.catalogue(frame.scale.step, frame.wraps))


def _many(names: tuple[str, ...], count: int) -> Iterator[str]:
    for number in range(count):
        name, turn = names[number % len(names)], number // len(names)
        yield f'{name} {turn + 1}' if turn else name


def _projects(frame: Frame, dice: Dice,
              sites: tuple[str, ...]) -> Iterator[Project]:
    """Two of three are roots; the others are below one of those before."""
    before: list[Project] = []
    for number, topic in enumerate(_many(_TOPICS, frame.scale.projects)):
        parent = dice.one(before) if number % 3 == 2 else None
        name = topic.replace(' ', '-')
        if parent:
            name = f'{parent.name}.{name}'
        project = Project(id=frame.named(dice, name), name=name,
                          parent=parent.id if parent else None,
                          site=dice.one(sites))
        before.append(project)
        yield project


def _shares(frame: Frame, dice: Dice, projects: tuple[Project, ...],
            institutions: tuple[str, ...]) -> Iterator[Share]:
    """Of every root and of some below; others inherit their parent's."""
    days = list(calendar.days(frame.start, frame.end, frame.zone))
    for project in projects:
        if project.parent and not dice.chance(3):
            continue
        changes = sorted(set(dice.some(days[1:], dice.below(3))))
        for since, until in zip([frame.start, *changes], [*changes, None],
                                strict=True):
            payers = dice.some(institutions, dice.between(1, 3))
            left = 100
            for payer in payers:
                percent = dice.between(1, left)
                if payer is payers[-1] and not dice.chance(3):
                    percent = left      # else some of it is paid by nobody
                left -= percent
                yield Share(project_id=project.id, institution=payer,
                            share=Fraction(percent, 100), since=since,
                            until=until)
                if not left:
                    break


def _hosts(frame: Frame, sites: tuple[str, ...]) -> Iterator[Host]:
    for number in range(max(frame.scale.hosts, len(sites))):
        site = sites[number % len(sites)]
        dice = frame.dice('host', number)
        yield Host(id=f'compute-{number + 1:03}.{site}.example',
                   cluster=f'{site}-rack-{dice.between(1, 2)}', site=site,
                   outages=tuple(_outages(frame, dice)))


def _outages(frame: Frame,
             dice: Dice) -> Iterator[tuple[Instant, Instant, str]]:
    """About one in 60 days; from a tick to a day long, not overlapping."""
    span = frame.end - frame.start
    step = frame.scale.step * SECOND
    count = dice.below(2 + frame.scale.days // 30)
    slot = span // max(count, 1)
    longest = max(step, min(calendar.DAY, slot // 2))
    for number in range(count):
        begin = frame.start + number * slot + dice.below(
            max(1, slot - longest))
        yield (begin, begin + dice.between(step // 2, longest),
               dice.one(('silent', 'not produced')))
