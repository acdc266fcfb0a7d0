# SPDX-License-Identifier: Apache-2.0
"""Telling a service what was used, so that nothing is lost meanwhile."""

from __future__ import annotations

import dataclasses
import datetime
import logging
import os
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from moc_meter import errors
from moc_meter.client import faults, said
from moc_meter.client.client import BATCH, Client
from moc_meter.client.models import Outcome
from moc_meter.client.opening import connect
from moc_meter.client.refusals import Refusals
from moc_meter.messaging import codec
from moc_meter.model.pause import pauses
from moc_meter.model.sample import Sample
from moc_meter.publisher.spool import Spool

LOG = logging.getLogger(__name__)
#: Every wait is bounded; these end by a wake.
_IDLE_SECONDS = 60.0
_LONGEST_PAUSE = 30.0
_TAKEN = ('stored', 'duplicate')
#: Statuses that say that something is wrong with what was sent; any other
#: says something of the service, of the way to it, or of who sends.
_BAD_CONTENT = (400, 413)


class Reporter:
    """Keeps what is reported on disk until the service has answered.

        with Reporter('http://127.0.0.1:8777', '/var/spool/mine',
                      source='mine') as reporter:
            reporter.report('mail.processed', 3, unit='mail',
                            resource_id='mx1')

    A thread sends it, oldest first, in batches. A sample has its id before
    it is on disk, so that it is stored once however often it is sent. What
    the service refuses for ever is set aside in refused_file, and holds up
    no other. May be used by several threads; a directory belongs to one
    process at a time.
    """

    def __init__(self, service: Client | str, directory: str | Path, *,
                 source: str, max_bytes: int = 1 << 30) -> None:
        """
        service: a client, or the URL for connect(). A client that was given
            is closed with the reporter.
        source: who reports; ids are unique within it.
        max_bytes: what all samples that wait may have together.
        Raises InvalidConfiguration where another process has the directory,
        or it cannot be used.
        """
        client = connect(service) if isinstance(service, str) else service
        # How long to wait is decided here, where close() can end it.
        self._client = Client(dataclasses.replace(client.connection,
                                                  patience=0.0))
        self._source = source
        folder = Path(directory)
        self.refused_file = folder / 'refused.jsonl'
        self._spool = Spool(folder / 'spool.sqlite', max_bytes)
        try:
            self._refusals = Refusals(self.refused_file)
        except BaseException:
            self._spool.close()
            raise
        self._trouble: Exception | None = None
        self._bug: BaseException | None = None
        self._leave_by: float | None = None
        self._process = os.getpid()
        self._wake = threading.Event()      # there is something to send
        self._hurry = threading.Event()     # it is to be tried at once
        self._answered = threading.Condition()
        self._thread = threading.Thread(target=self._work, daemon=True,
                                        name='reporter')
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Samples that are on disk, and that no service has answered yet."""
        return self._spool.waiting[0]

    @property
    def refused(self) -> int:
        """Samples in refused_file."""
        return self._refusals.count

    @property
    def trouble(self) -> str | None:
        """Why nothing is taken at the moment; None where all is well."""
        return str(self._trouble) if self._trouble else None

    def report(self, meter: str, volume: said.Number, *, resource_id: str,
               unit: str = '', kind: str = 'delta',
               project_id: str | None = None, user_id: str | None = None,
               timestamp: datetime.datetime | None = None,
               metadata: Mapping[str, object] | None = None,
               message_id: str | None = None) -> str:
        """Return the id of the sample when it is on disk; see measured().

        Raises InvalidSample where it can be none, SpoolFull where there is
        no room: then it was not taken.
        """
        sample = said.measured(
            meter, volume, source=self._source, resource_id=resource_id,
            unit=unit, kind=kind, project_id=project_id, user_id=user_id,
            timestamp=timestamp, metadata=metadata, message_id=message_id)
        message = codec.encode([sample])
        for refused in codec.decode(message).refused:
            raise errors.InvalidSample('cannot be written', meter=meter,
                                       reason=refused.reason)
        self._check()
        self._spool.append([message])
        self._wake.set()
        return sample.message_id

    def flush(self, timeout: float | None = None) -> int:
        """Wait until everything is answered; how much is not, after all.

        timeout: in seconds; for ever without it.
        """
        self._check()
        self._wake.set()
        self._hurry.set()
        with self._answered:
            self._answered.wait_for(
                lambda: self.waiting == 0 or not self._thread.is_alive(),
                timeout)
        self._check()
        return self.waiting

    def close(self, timeout: float = 10.0) -> None:
        """Send what waits, for so many seconds; the rest stays on disk.

        Where the service is away, it is tried once and not waited for.
        """
        self._leave_by = time.monotonic() + timeout
        self._wake.set()
        self._hurry.set()
        # It lets go of all files itself, be it later than this.
        self._thread.join(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check(self) -> None:
        if os.getpid() != self._process:
            raise RuntimeError('a reporter is of one process; make it '
                               'after the fork')
        if self._bug is not None or self._leave_by is not None:
            raise RuntimeError('nothing is sent any more') from self._bug

    def _work(self) -> None:
        try:
            self._send_all()
        except BaseException as bug:
            self._bug = bug     # report() and flush() tell it
            raise
        finally:
            self._spool.close()
            self._refusals.close()
            self._client.close()
            with self._answered:
                self._answered.notify_all()

    def _send_all(self) -> None:
        growing = pauses(longest=_LONGEST_PAUSE)
        while self._leave_by is None or time.monotonic() < self._leave_by:
            self._wake.clear()
            waiting = self._spool.peek(BATCH)
            if not waiting:
                if self._leave_by is not None:
                    return
                self._wake.wait(_IDLE_SECONDS)
                continue
            try:
                self._send([sample for _, message in waiting
                            for sample in codec.decode(message).samples])
            except (faults.ClientFault, errors.SpoolFull) as fault:
                self._note(fault)
                if self._leave_by is not None:
                    return
                self._hurry.wait(max(next(growing), min(
                    getattr(fault, 'retry_after', None) or 0.0,
                    _LONGEST_PAUSE)))
                self._hurry.clear()
            else:
                self._note(None)
                growing = pauses(longest=_LONGEST_PAUSE)
                self._forget(waiting[-1][0])

    def _send(self, samples: Sequence[Sample]) -> None:
        """Return when each of them is stored, or set aside."""
        outcomes = self._outcomes(samples)
        self._refusals.keep(
            [(sample, outcome) for sample, outcome
             in zip(samples, outcomes, strict=True)
             if outcome.status not in _TAKEN],
            datetime.datetime.now(datetime.UTC))

    def _outcomes(self, samples: Sequence[Sample]) -> list[Outcome]:
        """What became of each; who spoils a whole request is found in it."""
        try:
            outcomes = self._client.ingest(samples)
        except faults.BadRequest as fault:
            if fault.status not in _BAD_CONTENT:
                raise
            if len(samples) == 1:
                return [Outcome(message_id=samples[0].message_id,
                                status='refused', reason=str(fault))]
            middle = len(samples) // 2
            return (self._outcomes(samples[:middle])
                    + self._outcomes(samples[middle:]))
        if len(outcomes) != len(samples):
            raise faults.NotAnApi('not every sample was answered',
                                  sent=len(samples), answered=len(outcomes))
        return outcomes

    def _forget(self, last: int) -> None:
        """Remove what was answered; on a full disk, in memory for now.

        Then another start sends it again, and it is a duplicate.
        """
        try:
            self._spool.remove(last)
        except errors.SpoolFull as fault:
            LOG.warning('spool cannot forget what was sent; another start '
                        'sends it again reason="%s"', fault)
        with self._answered:
            self._answered.notify_all()

    def _note(self, fault: errors.MeterError | None) -> None:
        before, self._trouble = self._trouble, fault
        if fault is None and before is not None:
            LOG.info('service takes samples again waiting=%d', self.waiting)
        elif fault is not None and type(fault) is not type(before):
            LOG.warning('service takes no samples code=%s waiting=%d '
                        'reason="%s"', fault.code, self.waiting, fault)
