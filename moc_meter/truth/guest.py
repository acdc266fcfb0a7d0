# SPDX-License-Identifier: Apache-2.0
"""An instance as its hypervisor sees it, from tick to tick."""

from __future__ import annotations

from moc_meter.truth.course import Course, flavor
from moc_meter.truth.forms import SECOND, Instant
from moc_meter.truth.meters import MAX_RATE
from moc_meter.truth.seed import mixed

_NEVER = 2 ** 62


class Guest:
    """An instance at a tick: who has it, and what its counters read."""

    __slots__ = ('_events', '_next', '_read', 'base', 'end', 'holder', 'ids',
                 'memory', 'name', 'on', 'received', 'runs', 'sent',
                 'spent', 'until', 'vcpus', 'was_read', 'written')

    def __init__(self, seed: int, course: Course) -> None:
        life = course.life
        self.name = course.name
        #: Of the instance, and of its interface.
        self.ids = (life.resource_id, course.interface.resource_id
                    if course.interface else life.resource_id)
        self.base = mixed(seed ^ int(course.name[9:], 16) << 32)
        self._events = [event for event in course.events
                        if event.what != 'delete']
        self._next = 0
        #: Until when it goes on as it is.
        self.until: Instant = life.created
        self.end: Instant = (_NEVER if life.deleted is None
                             else life.deleted)
        self.on = False
        self.holder = life.holders[0]
        self.vcpus = self.memory = self.runs = 0
        self._read: Instant = life.created
        self._restart(life.created)

    def go_on(self, at: Instant) -> None:
        """Let happen what has happened until an instant, that included.

        It still is there then.
        """
        while self._next < len(self._events):
            event = self._events[self._next]
            if event.at > at:
                self.until = event.at
                return
            self._next += 1
            self.holder = event.holder
            self.on = event.holder.metadata['state'] == 'active'
            of = flavor(event.holder)
            self.vcpus, self.memory = of['vcpus'], of['ram']
            if event.restarts:
                self._restart(event.at)
        self.until = self.end

    def _restart(self, at: Instant) -> None:
        self._read = at
        self.runs += 1
        self.spent = self.received = self.sent = 0
        self.was_read = self.written = 0

    def read(self, at: Instant) -> int:
        """Let the counters go on to an instant; a noise of 64 bits."""
        bits = mixed(self.base ^ at // SECOND)
        seconds = (at - self._read) // SECOND
        self._read = at
        self.spent += (self.vcpus * seconds * 100 * (bits & 1023) >> 10)
        self.was_read += seconds * (bits >> 10 & 0xFFFF) << 5
        self.written += seconds * (bits >> 26 & 0xFFFF) << 4
        self.received += seconds * (bits >> 20 & MAX_RATE - 1)
        self.sent += seconds * (bits >> 36 & MAX_RATE - 1)
        return bits
