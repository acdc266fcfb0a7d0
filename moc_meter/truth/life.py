# SPDX-License-Identifier: Apache-2.0
"""Lives of instances and of what belongs to them, as they really were."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from moc_meter.truth import calendar
from moc_meter.truth.course import Course, Described, Event
from moc_meter.truth.facts import Frame
from moc_meter.truth.forms import (
    SECOND,
    Facts,
    Holder,
    Host,
    Instant,
    Life,
    Project,
)
from moc_meter.truth.seed import digest

GIB = 2 ** 30
#: Parts of metadata are shared: there are many, and none is ever changed.
_FLAVORS: tuple[dict[str, Any], ...] = tuple(
    {'name': name, 'vcpus': vcpus, 'ram': ram, 'disk': disk, 'ephemeral': 0}
    for name, vcpus, ram, disk in (
        ('m1.tiny', 1, 512, 1), ('m1.small', 1, 2048, 20),
        ('m1.medium', 2, 4096, 40), ('c1.large', 8, 8192, 80),
        ('r1.huge', 16, 65536, 0)))
_IMAGES = tuple({'name': name, 'public': public} for name in (
    'debian-12', 'rocky-9', 'ubuntu-24.04') for public in (True, False))
_STAGES = tuple({'stage': stage} for stage in ('test', 'live'))
_STATUS = {'building': 'BUILD', 'active': 'ACTIVE', 'stopped': 'SHUTOFF',
           'shelved_offloaded': 'SHELVED_OFFLOADED'}
#: What may happen to an instance in a state, and the state after it.
_HAPPENS: Mapping[str, tuple[tuple[str, str], ...]] = {
    'active': (('resize', 'active'), ('stop', 'stopped'),
               ('shelve', 'shelved_offloaded'), ('migrate', 'active'),
               ('reboot', 'active'), ('describe', 'active')),
    'stopped': (('start', 'active'), ('start', 'active'),
                ('describe', 'stopped')),
    'shelved_offloaded': (('unshelve', 'active'),)}


Birth = tuple[Instant, str, int]        # when, which type, which of them


class Population:
    """Everything that lives in a world; made when it is asked for."""

    def __init__(self, frame: Frame, facts: Facts) -> None:
        self._frame = frame
        self._facts = facts
        self._hosts: dict[str, list[Host]] = {site: [] for site
                                              in facts.sites}
        for host in facts.hosts:
            self._hosts[host.site].append(host)

    def births(self) -> list[Birth]:
        """Of everything, in order."""
        count = self._frame.scale.instances
        counts = {'instance': count, 'volume': count * 2 // 3 + 1,
                  'snapshot': count // 4 + 1, 'image': count // 20 + 1,
                  'network': self._frame.scale.projects,
                  'ip.floating': count // 3 + 1}
        return sorted((self._created(kind, number), kind, number)
                      for kind, many in counts.items()
                      for number in range(many))

    def courses(self) -> Iterator[Course]:
        """Of everything, in order of birth."""
        for birth in self.births():
            yield self.course(birth)

    def course(self, birth: Birth) -> Course:
        """The same whenever it is asked for."""
        made = _Instance if birth[1] == 'instance' else _Thing
        return made(self._frame, self._facts, self._hosts, birth).course()

    def _created(self, kind: str, number: int) -> Instant:
        """A third are there from the beginning on."""
        dice = self._frame.dice('birth', kind, number)
        span = self._frame.end - self._frame.start
        if number % 3 == 0:
            return self._frame.start + dice.below(span // 50)
        at = self._frame.start + dice.below(span * 9 // 10)
        if dice.chance(4):
            at = calendar.border(dice, at, self._frame.zone)
        return max(at, self._frame.start)


class _Thing:
    """One resource in the making: volume, snapshot, image, network …"""

    def __init__(self, frame: Frame, facts: Facts,
                 hosts: Mapping[str, Sequence[Host]], birth: Birth) -> None:
        self.created, self.kind, self.number = birth
        self.frame, self.facts, self.hosts = frame, facts, hosts
        self.dice = frame.dice('life', self.kind, self.number)
        self.project = self.dice.one(facts.projects)
        self.user = self.dice.one(facts.users).id
        self.id = resource_id(frame, self.kind, self.number)
        self.deleted = self._deleted()
        self.size = self.dice.between(1, 200)
        self.version = 0
        self.place = self._host(self.project).id

    def course(self) -> Course:
        """It, as it was."""
        events = [self._event(self.created, 'create')]
        states = [(self.created, 'available')]
        events += [self._event(at, self._changed()) for at in self._times(
            self.created, self.frame.scale.changes // 3)]
        return self._ended(states, events)

    def _ended(self, states: list[tuple[Instant, str]],
               events: list[Event]) -> Course:
        holders = tuple(event.holder for event in events)
        if self.deleted is not None:
            events.append(Event(at=self.deleted, what='delete',
                                holder=holders[-1]))
        return Course(
            life=Life(resource_id=self.id, type=self.kind,
                      created=self.created, deleted=self.deleted,
                      states=tuple(states), holders=holders),
            events=tuple(events))

    def _deleted(self) -> Instant | None:
        left = self.frame.end - self.created
        if left < 600 * SECOND or self.dice.chance(3):
            return None
        at = self.created + 300 * SECOND + self.dice.below(
            left - 300 * SECOND)
        near = calendar.border(self.dice, at, self.frame.zone)
        if self.dice.chance(3) and near > self.created + 300 * SECOND:
            return near
        return at

    def _times(self, after: Instant, about: int) -> list[Instant]:
        """When something happens, within the life; in order, all different.
        """
        until = self.deleted or self.frame.end
        found = set()
        for _ in range(self.dice.below(2 * about + 1)):
            at = after + self.dice.below(until - after)
            if self.dice.chance(4):
                at = calendar.border(self.dice, at, self.frame.zone)
            if after < at < until:
                found.add(at)
        return sorted(found)

    def _changed(self) -> str:
        self.version += 1
        if self.kind == 'volume' and self.dice.chance(3):
            self.project = self.dice.one(self.facts.projects)
            self.user = self.dice.one(self.facts.users).id
            return 'transfer'
        if self.kind == 'volume':
            self.size += self.dice.between(1, 50)
            return 'resize'
        return 'update'

    def _event(self, at: Instant, what: str) -> Event:
        return Event(at=at, what=what, holder=Holder(
            at, self.project.id, self.user, self._where(),
            Described(self._metadata())))

    def _where(self) -> str | None:
        return None

    def _host(self, project: Project) -> Host:
        return self.dice.one(self.hosts[project.site])

    def _metadata(self) -> dict[str, object]:
        said: dict[str, object] = {
            'display_name': f'{self.kind}-{self.number}',
            'status': 'available', 'version': self.version,
            'availability_zone': self.project.site}
        match self.kind:
            case 'volume':
                said |= {'volume_type': ('ssd', 'hdd')[self.number % 2],
                         'size': self.size, 'encrypted': self.number % 3 == 0,
                         'note': None}
                if self.frame.strange:      # two ways to one path
                    said['label'] = {'tier': 'silver'}
                said['label.tier'] = 'gold'
            case 'snapshot':
                said |= {'size': self.size, 'volume_id': resource_id(
                    self.frame, 'volume', self.number)}
            case 'image':
                said |= {'size': self.size * GIB // 16, 'min_disk': 0,
                         'properties': {'os': {'distro': 'debian'}}}
            case 'ip.floating':
                said |= {'floating_ip_address':
                         f'203.0.113.{self.number % 256}'}
        return said


class _Instance(_Thing):
    """An instance in the making."""

    def __init__(self, frame: Frame, facts: Facts,
                 hosts: Mapping[str, Sequence[Host]], birth: Birth) -> None:
        super().__init__(frame, facts, hosts, birth)
        self.flavor = self.dice.one(_FLAVORS)
        self.image = self.dice.one(_IMAGES)
        self.tags = ['research', self.project.name]
        self.state = 'building'
        self.name = f'instance-{self.number + 1:08x}'

    def course(self) -> Course:
        """It, as it was: built, launched, changed, deleted."""
        asked = self._event(self.created, 'ask')
        launched = self.created + self.dice.between(5, 200) * SECOND
        self.state = 'active'
        events = [asked, self._event(launched, 'create')]
        states = [(self.created, 'building'), (launched, 'active')]
        for at in self._times(launched, self.frame.scale.changes):
            what, after = self.dice.one(_HAPPENS[self.state])
            self._apply(what)
            if after != self.state:
                self.state = after
                states.append((at, after))
            events.append(self._event(at, what))
        course = self._ended(states, events)
        life = course.life
        return Course(life=life, events=course.events, name=self.name,
                      interface=Life(
                          resource_id=f'{self.name}-{self.id}-'
                                      f'tap{self.number:08x}',
                          type='network.interface', created=life.created,
                          deleted=life.deleted, states=life.states,
                          holders=life.holders))

    def _apply(self, what: str) -> None:
        match what:
            case 'resize':
                self.flavor = self.dice.one(
                    [one for one in _FLAVORS if one != self.flavor])
            case 'migrate' | 'unshelve':
                self.place = self._host(self.project).id
            case 'describe':
                self.version += 1

    def _where(self) -> str | None:
        return None if self.state == 'shelved_offloaded' else self.place

    def _metadata(self) -> dict[str, object]:
        return {
            'display_name': f'vm-{self.number}', 'name': self.name,
            'host': self._where(), 'state': self.state,
            'status': _STATUS[self.state],
            'instance_type': self.flavor['name'], 'flavor': self.flavor,
            'image': self.image, 'tags': self.tags,
            'weight': self.number % 8 / 8, 'version': self.version,
            'user_metadata': _STAGES[self.number % 2]}


def resource_id(frame: Frame, kind: str, number: int) -> str:
    """Of one resource; in a strange world two of five have odd ones.

    One of these differs from the id of another by case alone. Nothing else
    names the source in an API's path, so worlds of two share no resource.
    """
    plain = str(uuid.UUID(digest(
        f'{frame.source}\0{frame.seed}\0{kind}\0{number}')))
    if frame.strange and number % 5 == 2:
        return frame.dice('odd', kind, number).one((
            f'Größe {plain}', f'{plain}/a b', f'{plain} ',
            f'Ж/{plain}?&=#'))
    if frame.strange and number % 5 == 4:
        return resource_id(frame, kind, number - 1).upper()
    return plain
