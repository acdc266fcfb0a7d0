# SPDX-License-Identifier: Apache-2.0
"""One round of polling: asking every poller once, for one tick.

A round runs in a thread of its own, and ends before the next tick. What it
asks may hang, and what hangs in a library cannot be interrupted: a poller
that does is left alone until it comes back, and the others are asked.
"""

from __future__ import annotations

import datetime
import logging
import threading
from collections import Counter
from collections.abc import Mapping, Sequence

from moc_meter import contracts, errors
from moc_meter.agent.calls import Calls
from moc_meter.agent.plain import plainly
from moc_meter.agent.polling.base import Tick
from moc_meter.agent.polling.clock import Clock
from moc_meter.agent.polling.survey import Ask, Question, Survey
from moc_meter.model.pause import pauses
from moc_meter.model.sample import Sample
from moc_meter.publisher.base import Publisher, halves

LOG = logging.getLogger(__name__)

#: Samples that are handed over at once; more would only take memory.
_BATCH = 500
#: The part of an interval that a poller may take for all its questions, but
#: never more than half of what is left for it and those after it; and the
#: discovery of all there is to ask.
_SHARE, _DISCOVERY_SHARE = 0.25, 0.5


class Rounds:
    """The rounds of one survey, one at a time."""

    def __init__(self, name: str, survey: Survey, *, publisher: Publisher,
                 interval: datetime.timedelta, clock: Clock) -> None:
        """name: in the log, of the kind of round: 'compute'."""
        self._name = name
        self._survey = survey
        self._publisher = publisher
        self._interval = interval
        self._clock = clock
        self._calls = Calls(f'poller-{name}')
        self._thread: threading.Thread | None = None
        self._bug: BaseException | None = None
        self._busy = False                  # whether the log says so
        self._said: dict[str, str] = {}     # what the log says of whom
        #: samples handed over; faults of pollers; rounds that were skipped
        #: since the one before was not over; samples lost at a stop
        self.counted: Counter[str] = Counter()
        #: by poller, in this process: questions at which it failed, and the
        #: tick that it answered last, in time
        self.faults: Counter[str] = Counter()
        self.last_success: dict[str, datetime.datetime] = {}

    def begin(self, tick: Tick, stop: threading.Event) -> None:
        """Begin the tick's round, unless the one before is not over.

        Raises what the round before could not bear: a bug, or a publisher
        that failed for good.
        """
        if self._thread is not None and self._thread.is_alive():
            self.counted['skipped'] += 1
            if not self._busy:
                LOG.warning('polling skipped, the round before is not over: '
                            'kind=%s tick=%s', self._name, tick.instant)
            self._busy = True
            return
        self.join(0)
        if self._busy:
            LOG.info('polling goes on: kind=%s tick=%s', self._name,
                     tick.instant)
        self._busy = False
        self._thread = threading.Thread(
            target=self._run, args=(tick, stop), daemon=True,
            name=f'poll-{self._name}')
        self._thread.start()

    def join(self, seconds: float) -> bool:
        """Wait for the round; False where it is not over by then.

        Raises as begin() does.
        """
        if self._thread is not None:
            self._thread.join(seconds)
            if self._thread.is_alive():
                return False
        bug, self._bug = self._bug, None
        if bug is not None:
            raise bug
        return True

    def _run(self, tick: Tick, stop: threading.Event) -> None:
        try:
            self._poll(tick, stop)
        except BaseException as bug:    # raised again in the service's thread
            self._bug = bug

    def _poll(self, tick: Tick, stop: threading.Event) -> None:
        faults: dict[str, Exception] = {}
        asked = {'discovery'}
        samples: list[Sample] = []
        left: dict[str, float] = {}     # seconds of each poller's share
        for name, ask in self._questions(tick, faults):
            if stop.is_set() or _is_away(faults):
                break
            if self._left(tick, 1) <= 0:
                self._fault(faults, name, TimeoutError(
                    'the next tick came before all was asked'))
                break
            if name not in left:
                left[name] = min(self._left(tick, _SHARE),
                                 self._left(tick, 1) / 2)
            if left[name] <= 0:
                self._cut_off(name, faults)
                continue
            asked.add(name)
            began = self._clock.now()
            samples += self._samples(tick, name, ask, left[name], faults)
            left[name] -= (self._clock.now() - began).total_seconds()
            if len(samples) >= _BATCH:
                self._hand_over(samples, stop)
                samples = []
        self._hand_over(samples, stop)
        self._report(asked, faults)

    def _questions(self, tick: Tick,
                   faults: dict[str, Exception]) -> list[Question]:
        try:
            return self._calls.call(
                'discovery', lambda: plainly(
                    lambda: list(self._survey.questions(tick)), traced=True),
                self._left(tick, _DISCOVERY_SHARE))
        except Exception as fault:      # a plugin's; its host goes on
            self._fault(faults, 'discovery', fault)
            return []

    def _samples(self, tick: Tick, name: str, ask: Ask, seconds: float,
                 faults: dict[str, Exception]) -> list[Sample]:
        """The answer to one question; a fault loses no more than its rest."""
        found: list[Sample] = []
        failure: Exception | None = None
        try:
            self._calls.call(
                name, lambda: plainly(
                    lambda: found.extend(contracts.samples(ask)),
                    traced=True),
                min(seconds, self._left(tick, 1)))
        except Exception as fault:      # a plugin's; its host goes on
            failure = fault
        kept = found[:]     # who hangs may add to it later
        if self._clock.now() >= tick.instant + self._interval:
            kept, failure = [], failure or TimeoutError(
                'figures came after the next tick and are not of this one')
        if failure is None:
            self.last_success[name] = tick.instant
        else:
            self.faults[name] += 1
            self._fault(faults, name, failure)
        return kept

    def _left(self, tick: Tick, share: float) -> float:
        """Seconds of a share of the interval, and no more than are left."""
        end = tick.instant + self._interval
        return min(share * self._interval.total_seconds(),
                   max((end - self._clock.now()).total_seconds(), 0))

    def _hand_over(self, samples: Sequence[Sample],
                   stop: threading.Event) -> None:
        """Return when the samples are durable, or it is time to stop."""
        try:
            self._await_room(samples, stop)
        except errors.BatchTooLarge:
            if len(samples) == 1:
                raise
            for half, _ in halves(samples, ()):
                self._hand_over(half, stop)

    def _await_room(self, samples: Sequence[Sample],
                    stop: threading.Event) -> None:
        waits = pauses()
        while samples and not self._published(samples):
            if self._clock.wait(stop, next(waits)):
                LOG.warning('stopped before the spool had room: kind=%s '
                            'samples=%d', self._name, len(samples))
                self.counted['lost'] += len(samples)
                return

    def _published(self, samples: Sequence[Sample]) -> bool:
        try:
            self._publisher.publish(samples)
        except errors.SpoolFull as full:
            self._tell('spool', full)
            return False
        self.counted['samples'] += len(samples)
        return True

    def _cut_off(self, name: str, faults: dict[str, Exception]) -> None:
        """Told once a round, and only of one that has no other fault."""
        if name not in faults:
            self.faults[name] += 1
            self._fault(faults, name, TimeoutError(
                'its share of the interval is used up'))

    def _fault(self, faults: dict[str, Exception], name: str,
               fault: Exception) -> None:
        self.counted['faults'] += 1
        faults.setdefault(name, fault)

    def _report(self, asked: set[str], faults: dict[str, Exception]) -> None:
        """Log what changed since the last round, and nothing else."""
        for name, fault in faults.items():
            self._tell(name, fault)
        for name in sorted((asked | {'spool'}) & self._said.keys()
                           - faults.keys()):
            del self._said[name]
            LOG.info('polling works again: kind=%s name=%s', self._name, name)

    def _tell(self, name: str, fault: Exception) -> None:
        known = isinstance(fault, errors.MeterError | TimeoutError)
        # Facts of an instance change from round to round; the kind does not.
        said = vars(fault).get('message')
        shown = type(fault).__name__ + (said if type(said) is str else '')
        if self._said.get(name) != shown:
            self._said[name] = shown
            LOG.warning('polling fails: kind=%s name=%s reason=%s',
                        self._name, name, contracts.told(fault),
                        exc_info=None if known else fault)


def _is_away(faults: Mapping[str, Exception]) -> bool:
    return any(isinstance(fault, errors.HypervisorUnavailable)
               for fault in faults.values())
