# SPDX-License-Identifier: Apache-2.0
"""From the spool to the bus."""

from __future__ import annotations

import dataclasses
import logging
import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moc_meter import errors
from moc_meter.messaging.base import Sender
from moc_meter.model.pause import pauses
from moc_meter.model.sample import Refused, Sample
from moc_meter.publisher import messages
from moc_meter.publisher.spool import Spool

if TYPE_CHECKING:
    # Its library is large, and of use to those who sign only.
    from moc_meter import signing

LOG = logging.getLogger(__name__)
_READ = 20              # messages in memory at a time
_IDLE_SECONDS = 60.0    # every wait is bounded; this one ends by a wake
#: Of these, what a bus that takes messages is given to take the rest.
_DRAIN_SECONDS = 3.0
_CLOSE_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Messages of this process since its start."""

    made: int = 0       # taken from the caller, durable
    sent: int = 0       # the bus has them
    failed: int = 0     # attempts to send that failed


class BusPublisher:
    """Keeps a batch in the spool; a thread hands it on to the bus.

    A message leaves the spool only after the sender has said that the bus
    has it, oldest first. Owns spool and sender from now on.
    """

    def __init__(self, spool: Spool, sender: Sender,
                 signer: signing.Signer | None = None) -> None:
        self._spool = spool
        self._sender = sender
        self._signer = signer
        self._counts = Counts()
        self._counting = threading.Lock()
        self._trouble = ''      # code of what keeps the bus from taking
        self._full = False      # whether the spool cannot forget
        self._fault: BaseException | None = None
        self._leave_by = math.inf
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True,
                                        name='publisher')
        self._thread.start()

    @property
    def counts(self) -> Counts:
        return self._counts

    @property
    def waiting(self) -> tuple[int, int]:
        """Messages that wait in the spool, and their bytes."""
        return self._spool.waiting

    def publish(self, samples: Sequence[Sample],
                refused: Sequence[Refused] = ()) -> None:
        """Return when the batch is in the spool, on disk."""
        if self._fault:
            raise RuntimeError('nothing is sent any more') from self._fault
        made = messages.encoded(samples, refused, self._signer)
        self._spool.append(made)
        self._count(made=len(made))
        self._wake.set()

    def close(self) -> None:
        """Send what is waiting, for some seconds; the rest stays spooled."""
        self._leave_by = time.monotonic() + _DRAIN_SECONDS
        self._stop.set()
        self._wake.set()
        self._thread.join(_CLOSE_SECONDS)
        if self._thread.is_alive():
            LOG.warning('bus does not let go; its message is sent again')
        else:
            self._sender.close()
            self._spool.close()

    def _work(self) -> None:
        try:
            self._send_all()
        except BaseException as fault:
            self._fault = fault     # publish() tells it to our caller
            raise

    def _send_all(self) -> None:
        growing = pauses()
        while time.monotonic() < self._leave_by:
            self._wake.clear()
            leaving = self._stop.is_set()
            waiting = self._spool.peek(_READ)
            if not waiting:
                if leaving:
                    return
                self._wake.wait(_IDLE_SECONDS)
                continue
            try:
                self._send(waiting)
            except (errors.BusUnavailable, errors.BusMismatch) as fault:
                self._note_failure(fault)
                if self._stop.wait(next(growing)):
                    return
            else:
                self._note_success()
                growing = pauses()

    def _send(self, waiting: Sequence[tuple[int, bytes]]) -> None:
        sent = []
        try:
            for number, message in waiting:
                if time.monotonic() >= self._leave_by:
                    break
                self._sender.send(message)
                sent.append(number)
        finally:
            self._count(sent=len(sent))
            if sent:
                self._forget(sent[-1])

    def _forget(self, last: int) -> None:
        """Remove what was sent; on a full disk, in memory for now.

        So the next ones have their turn, and the same are not sent over and
        over: whoever fills the disk may do so for days.
        """
        try:
            self._spool.remove(last)
        except errors.SpoolFull as fault:
            if not self._full:
                LOG.warning('spool cannot forget what was sent; another '
                            'start sends it again reason="%s"', fault)
            self._full = True
        else:
            if self._full:
                LOG.info('spool forgets again waiting=%d',
                         self._spool.waiting[0])
            self._full = False

    def _count(self, made: int = 0, sent: int = 0, failed: int = 0) -> None:
        with self._counting:
            before = self._counts
            self._counts = dataclasses.replace(
                before, made=before.made + made, sent=before.sent + sent,
                failed=before.failed + failed)

    def _note_failure(self, fault: errors.MeterError) -> None:
        self._count(failed=1)
        if fault.code != self._trouble:
            LOG.log(logging.WARNING if fault.retryable else logging.ERROR,
                    'bus lost code=%s waiting=%d reason="%s"', fault.code,
                    self._spool.waiting[0], fault)
            self._trouble = fault.code

    def _note_success(self) -> None:
        if self._trouble:
            LOG.info('bus back waiting=%d', self._spool.waiting[0])
            self._trouble = ''
