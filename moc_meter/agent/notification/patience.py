# SPDX-License-Identifier: Apache-2.0
"""Asking plugins, none of which may hold up the others.

A plugin is left out for a while where it does not answer in time, and where
its slow answers take more than its share of the time. A quick answer is never
held against it: with a backlog to work off, all the time is some plugin's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from moc_meter import errors
from moc_meter.agent.calls import Calls, Steps
from moc_meter.model.pause import pauses

Answer = TypeVar('Answer')

#: Seconds for which one is left out: doubled with each time in a row, and
#: never for good. One that does not come back at all is not asked before it
#: does.
_FIRST_PAUSE, _LONGEST_PAUSE = 60.0, 3600.0
#: Parts of the time for one answer: what a quick one takes at most, and what
#: slow ones of a plugin may take together beyond its share of the time.
_QUICK, _BEYOND = 0.1, 3.0
_SHARE = 0.25


@dataclass(slots=True)
class _Absence:
    """A plugin that is left out, or was and did not answer quickly since."""

    until: float
    pauses: Iterator[float]         # those to come, if it is slow again


class Patience:
    """Makes the calls of plugins, by their names."""

    def __init__(self, seconds: float,
                 clock: Callable[[], float] = time.monotonic) -> None:
        """seconds: for one answer. clock: seconds that only grow."""
        self._seconds = seconds
        self._clock = clock
        self._calls = Calls('notification-plugins')
        self._absent: dict[str, _Absence] = {}
        #: by plugin: what its slow answers took beyond its share, and when
        #: that was so; it shrinks as time passes
        self._beyond: dict[str, tuple[float, float]] = {}

    @property
    def absent(self) -> frozenset[str]:
        """Plugins that did not answer quickly since they were left out."""
        return frozenset(self._absent)

    @property
    def left_out(self) -> frozenset[str]:
        """Plugins that are not asked now."""
        now = self._clock()
        return self._calls.hanging | {
            name for name, absence in list(self._absent.items())
            if now < absence.until}

    def run(self, steps: Steps[Answer]) -> Answer:
        """What comes of steps that ask plugins, by ask()."""
        return self._calls.run(steps, self._seconds)

    def ask(self, name: str, question: Callable[[], Answer]
            ) -> Steps[Answer]:
        """Steps for run(): to the answer, or to what the question raises.

        They raise PluginHangs for one that is left out, or has to be from now
        on.
        """
        if name in self.left_out:
            raise errors.PluginHangs('a plugin hangs or is too slow, and is '
                                     'not asked')
        began = self._clock()
        answer: Answer
        answer, fault = yield name, question
        if fault is not None:
            if name in self._calls.hanging:
                raise errors.PluginHangs(
                    'a plugin does not answer', seconds=self._seconds,
                    not_asked_for=self._leave_out(name)) from fault
            self._note(name, self._clock() - began)
            try:
                raise fault
            finally:
                del fault       # it knows this frame, and keeps a payload
        if not self._note(name, self._clock() - began):
            self._absent.pop(name, None)
        return answer

    def _note(self, name: str, seconds: float) -> bool:
        """Whether an answer that took so long was slow; too often, it is out.
        """
        if seconds <= _QUICK * self._seconds:
            return False
        now = self._clock()
        before, at = self._beyond.get(name, (0.0, now))
        beyond = max(0.0, before - _SHARE * (now - at)) + seconds
        self._beyond[name] = beyond, now
        if name in self._absent or beyond > _BEYOND * self._seconds:
            self._leave_out(name)
        return True

    def _leave_out(self, name: str) -> float:
        """For so many seconds, more each time in a row."""
        absence = self._absent.setdefault(name, _Absence(
            0.0, pauses(_FIRST_PAUSE, _LONGEST_PAUSE)))
        pause = next(absence.pauses)
        absence.until = self._clock() + pause
        return pause
