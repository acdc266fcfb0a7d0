# SPDX-License-Identifier: Apache-2.0
"""The clock of polling: which tick, when, and which one was missed."""

from __future__ import annotations

import datetime
import logging
import threading
from collections.abc import Mapping

from moc_meter.agent.polling.base import Tick
from moc_meter.agent.polling.clock import Clock, SystemClock
from moc_meter.agent.polling.round import Rounds
from moc_meter.agent.polling.survey import Survey
from moc_meter.model import period
from moc_meter.publisher.base import Publisher

LOG = logging.getLogger(__name__)

#: Seconds that rounds under way are given to end when it is time to stop.
_PATIENCE = 5.0


class PollingService:
    """Polls at whole multiples of the interval since 1970, in UTC.

    A tick that was missed is not made up: its figures are gone. It is
    counted, and the next one is on time again.
    """

    def __init__(self, *, source: str, interval: datetime.timedelta,
                 surveys: Mapping[str, Survey], publisher: Publisher,
                 clock: Clock | None = None) -> None:
        """surveys: by the name of their kind; each has rounds of its own,
        so that a hypervisor that hangs does not stop the others.
        """
        self._source = source
        self._interval = interval
        self._clock = clock or SystemClock()
        self._last: datetime.datetime | None = None
        self.rounds = {
            name: Rounds(name, survey, publisher=publisher,
                         interval=interval, clock=self._clock)
            for name, survey in surveys.items()}
        self.missed = 0     # ticks

    def run(self, stop: threading.Event) -> None:
        """Poll until it is time to stop; then let rounds in hand end.

        Raises what a round could not bear.
        """
        LOG.info('polling started: interval=%s kinds=%s', self._interval,
                 ','.join(self.rounds))
        while (instant := self._next(stop)) is not None:
            for rounds in self.rounds.values():
                rounds.begin(Tick(source=self._source, instant=instant), stop)
        for name, rounds in self.rounds.items():
            if not rounds.join(_PATIENCE):
                LOG.warning('a round is left alone, it does not end: kind=%s',
                            name)
        LOG.info('polling stopped: missed_ticks=%d', self.missed)

    def _next(self, stop: threading.Event) -> datetime.datetime | None:
        """Wait for the next tick, and say its instant; None for a stop."""
        while True:
            due = self._due()
            pause = due - self._clock.now()
            if self._clock.wait(stop, max(pause.total_seconds(), 0)):
                return None
            # Waits end early or late, and clocks are set: look again.
            if due <= self._clock.now() < due + self._interval:
                break
        if self._last is not None and due > self._last:
            self.missed += (due - self._last) // self._interval - 1
        self._last = due
        return due

    def _due(self) -> datetime.datetime:
        """The first tick that is to come and was not had yet."""
        due = (period.floor(self._clock.now(), self._interval)
               + self._interval)
        return due + self._interval if due == self._last else due
