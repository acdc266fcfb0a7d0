# SPDX-License-Identifier: Apache-2.0
"""The bus within one process: a send returns when the far end is done."""

from __future__ import annotations

import collections
import threading
from collections.abc import Sequence
from concurrent.futures import Future

from moc_meter import errors
from moc_meter.messaging.base import Handle

# Seconds; how late a stop may be noticed.
_GLANCE = 0.2


class _Parcel(Future[None]):
    """A message on its way; done when the far end is done with it."""

    def __init__(self, message: bytes) -> None:
        super().__init__()
        self.message = message


class LocalBus:
    """Both ends. Each sending thread has one message on it, and no more."""

    def __init__(self, batch_messages: int, timeout: float) -> None:
        self._size = batch_messages
        self._timeout = timeout
        self._parcels: collections.deque[_Parcel] = collections.deque()
        self._arrived = threading.Condition()

    def sender(self) -> LocalBus:
        return self

    def receiver(self) -> LocalBus:
        return self

    def send(self, message: bytes) -> None:
        parcel = _Parcel(message)
        with self._arrived:
            self._parcels.append(parcel)
            self._arrived.notify()
        try:
            fault = parcel.exception(self._timeout)
        except TimeoutError:
            self._withdraw(parcel)
            raise errors.BusUnavailable('nobody has taken the message in time',
                                        seconds=self._timeout) from None
        if fault:
            raise errors.BusUnavailable('the message was not taken',
                                        reason=str(fault)) from fault

    def run(self, handle: Handle, stop: threading.Event) -> None:
        while not stop.is_set():
            self._deliver(handle, self._take(_GLANCE))
        for _ in range(0, len(self._parcels), self._size):
            self._deliver(handle, self._take(0))

    def check(self) -> None:
        """There is nothing that could be missing."""

    def close(self) -> None:
        """There is nothing to let go of."""

    def _take(self, seconds: float) -> list[_Parcel]:
        with self._arrived:
            self._arrived.wait_for(lambda: self._parcels, seconds)
            count = min(len(self._parcels), self._size)
            return [self._parcels.popleft() for _ in range(count)]

    def _deliver(self, handle: Handle, parcels: Sequence[_Parcel]) -> None:
        if not parcels:
            return
        try:
            handle([parcel.message for parcel in parcels])
        except BaseException as fault:
            for parcel in parcels:
                parcel.set_exception(fault)
            raise
        for parcel in parcels:
            parcel.set_result(None)

    def _withdraw(self, parcel: _Parcel) -> None:
        with self._arrived:
            if parcel in self._parcels:
                self._parcels.remove(parcel)


def connect(*, batch_messages: int = 30, timeout: float = 30.0) -> LocalBus:
    """A bus for this process; its ends are of use to each other only.

    batch_messages: so many messages are handled at once at most.
    timeout: how long a send waits for the far end, in seconds.
    """
    return LocalBus(batch_messages, timeout)
