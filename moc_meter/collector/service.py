# SPDX-License-Identifier: Apache-2.0
"""From the wire into the store: receive, admit, store, acknowledge."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from moc_meter import errors, signing
from moc_meter.collector.dispatcher.base import Dispatcher
from moc_meter.collector.flood import FloodGate
from moc_meter.messaging import codec, entry
from moc_meter.messaging.base import Receiver
from moc_meter.model.admission import Admission
from moc_meter.model.pause import pauses
from moc_meter.model.sample import Refused, Sample

LOG = logging.getLogger(__name__)
#: Time for somebody to look, after everything looked bad.
FLOOD_SECONDS = 300.0

#: Origin of a message that was refused as a whole: nothing in it was taken,
#: its signature neither, so it is never less than a message again.
WHOLE = 'collector message'

T = TypeVar('T')


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What became of what arrived, since the start of this process.

    With several destinations each one's stored, duplicates and so on.
    """

    received: int = 0       # samples in messages that could be read
    stored: int = 0
    duplicates: int = 0     # delivered again; kept already
    conflicts: int = 0      # another sample has the identity; quarantined
    expired: int = 0        # older than what was dropped; quarantined
    refused: int = 0        # messages and samples sent to quarantine
    held: int = 0           # times that a destination was waited for
    given_back: int = 0     # times that the bus got everything back


class Collector:
    """Takes messages from the bus and keeps their samples.

    Returning from the handling of messages acknowledges them, and nothing
    returns before every destination has committed. One thread runs it.
    """

    def __init__(self, receiver: Receiver, dispatchers: Sequence[Dispatcher],
                 admission: Admission,
                 verifier: signing.Verifier | None = None, *,
                 clock: Callable[[], datetime.datetime],
                 hold_seconds: float = 240.0,
                 monotonic: Callable[[], float] = time.monotonic) -> None:
        """
        clock: now, aware and in UTC.
        hold_seconds: how long messages are kept here while a destination is
            away; well below the broker's consumer time-out.
        """
        self._receiver = receiver
        self._dispatchers = dispatchers
        self._admission = admission
        self._verifier = verifier
        self._clock = clock
        self._hold_seconds = hold_seconds
        self._monotonic = monotonic
        self._gate = FloodGate()
        self._counts = Counts()
        #: What was waited for in vain, and with which nothing else is begun.
        self._owed: Callable[[datetime.datetime], object] | None = None

    @property
    def counts(self) -> Counts:
        return self._counts

    def run(self, stop: threading.Event) -> None:
        """Until stop is set; messages in hand are finished.

        Nothing is taken from the bus before every destination answers. What
        is no matter of waiting flies: BusMismatch, StoreMismatch, a bug.
        """
        while self._answered(stop):
            try:
                self._receiver.run(functools.partial(self._handle, stop),
                                   stop)
            except errors.StoreUnavailable as fault:
                self._count(given_back=1)
                LOG.warning('given back reason="%s"', fault)
            except errors.QuarantineFlood:
                self._count(given_back=1)
                LOG.exception('given back, for all looks bad pause=%d s',
                              FLOOD_SECONDS)
                stop.wait(FLOOD_SECONDS)

    def _answered(self, stop: threading.Event) -> bool:
        """Wait until every destination answers; False where stop is set.

        And takes what it did not take before: one that is full, or may only
        be read, answers all the same. What is given back arrives again, and
        the destinations know what they have.
        """
        if stop.is_set():
            return False
        try:
            self._hold(self._settle, stop, math.inf)
        except errors.StoreUnavailable:
            return False
        return True

    def _settle(self, now: datetime.datetime) -> None:
        for dispatcher in self._dispatchers:
            dispatcher.ping()
        try:
            if self._owed:
                self._owed(now)
        except errors.MeterError as fault:
            if fault.retryable or isinstance(fault, errors.StoreMismatch):
                raise
            LOG.info('store back reason="%s"', fault)
        except Exception as fault:
            # Something is taken again; it is halved when it arrives again.
            LOG.info('store back reason="%r"', fault)
        self._owed = None

    def _handle(self, stop: threading.Event,
                messages: Sequence[bytes]) -> None:
        """Return when everything in the messages is kept for good.

        The samples of all the messages are one batch, one transaction.
        Raises StoreUnavailable where that lasts too long, QuarantineFlood
        where everything looks bad; both times nothing is lost, since the bus
        delivers again and the destinations know what they have.
        """
        deadline = self._monotonic() + self._hold_seconds
        samples, refused = self._admit(messages)
        for dispatcher in self._dispatchers if samples else ():
            refused += self._keep(dispatcher, samples, stop, deadline)
        for dispatcher in self._dispatchers if refused else ():
            self._hold(functools.partial(dispatcher.quarantine, refused),
                       stop, deadline)
        self._count(received=len(samples), refused=len(refused))
        if refused:
            LOG.warning('quarantined count=%d first="%s"', len(refused),
                        refused[0].reason)

    def _admit(self, messages: Sequence[bytes]
               ) -> tuple[list[Sample], list[Refused]]:
        """The samples that may enter, and what may not, with its bytes."""
        now = self._clock()
        samples: list[Sample] = []
        refused: list[Refused] = []
        for message in messages:
            try:
                batch = codec.decode(message, self._verifier)
            except Exception as fault:
                refused.append(dataclasses.replace(
                    self._refusal(message, fault), origin=WHOLE))
                continue
            refused += batch.refused
            for sample in batch.samples:
                try:
                    samples.append(self._admission.admit(sample, now))
                except Exception as fault:
                    refused.append(self._refusal(_line(sample), fault))
        return samples, refused

    def _keep(self, dispatcher: Dispatcher, samples: Sequence[Sample],
              stop: threading.Event, deadline: float) -> list[Refused]:
        """What the destination cannot take; all the rest is kept.

        A batch that fails as a whole is halved until the bad sample stands
        alone.
        """
        refused = []
        pending = [samples]
        while pending:
            piece = pending.pop()
            try:
                written = self._hold(
                    functools.partial(dispatcher.dispatch, piece),
                    stop, deadline)
            except (errors.StoreUnavailable, errors.StoreMismatch):
                raise
            except Exception as fault:
                if len(piece) > 1:
                    half = len(piece) // 2
                    pending += [piece[half:], piece[:half]]
                else:
                    refused.append(self._refusal(_line(piece[0]), fault,
                                                 admitted=True))
            else:
                self._gate.passed(len(piece))
                self._count(stored=written.stored,
                            duplicates=written.duplicates,
                            conflicts=written.conflicts,
                            expired=written.expired)
        return refused

    def _hold(self, deed: Callable[[datetime.datetime], T],
              stop: threading.Event, deadline: float) -> T:
        """The deed's result, tried again while its world is away.

        deed: is told the instant of each attempt, so that what is stored
            late is not recorded as if it had been there.
        Raises StoreUnavailable where the deadline passes or stop is set.
        """
        for attempt, pause in enumerate(pauses()):
            try:
                result = deed(self._clock())
            except errors.MeterError as fault:
                if not fault.retryable:
                    raise
                if not attempt:
                    self._count(held=1)
                    LOG.warning('store lost reason="%s"', fault)
                if (self._monotonic() + pause > deadline
                        or stop.wait(pause)):
                    if deadline < math.inf:
                        self._owed = deed
                    raise errors.StoreUnavailable(
                        'the store was waited for in vain',
                        reason=str(fault)) from fault
            else:
                if attempt:
                    LOG.info('store back')
                return result
        raise AssertionError('there is always another pause')

    def _refusal(self, content: bytes, fault: Exception,
                 admitted: bool = False) -> Refused:
        """What goes to quarantine for this fault.

        What nobody foresaw, and what befalls an admitted sample, may be our
        own fault: raises QuarantineFlood where that happens too often.
        """
        if not isinstance(fault, errors.MeterError):
            fault, admitted = errors.MeterError(f'unforeseen: {fault!r}'), True
        if admitted:
            self._gate.failed()
        return dataclasses.replace(entry.set_aside(content, fault),
                                   origin='collector')

    def _count(self, **more: int) -> None:
        self._counts = dataclasses.replace(self._counts, **{
            name: getattr(self._counts, name) + number
            for name, number in more.items()})


def _line(sample: Sample) -> bytes:
    """The sample's bytes, as a message has them."""
    try:
        return entry.write_sample(sample)
    except errors.InvalidSample:
        return entry.spelled(sample)
