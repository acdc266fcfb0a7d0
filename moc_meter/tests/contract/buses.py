# SPDX-License-Identifier: Apache-2.0
"""What the tests of a bus are made of."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from moc_meter import errors
from moc_meter.messaging import amqp
from moc_meter.messaging.base import Receiver, Sender
from moc_meter.model import pause
from moc_meter.tests.servers.base import until
from moc_meter.tests.servers.rabbitmq import RabbitMQ

PATIENCE = 60.0


class BrokenError(Exception):
    """What a handle of the tests raises."""


class Far:
    """A receiver that runs in a thread of its own, until it is stopped.

    handled: batches for which the handle has returned.
    before: called with each batch first; may wait, or raise.
    """

    def __init__(self, receiver: Receiver,
                 before: Callable[[Sequence[bytes]], object] = len) -> None:
        self.handled: list[list[bytes]] = []
        self.stop = threading.Event()
        self._receiver = receiver
        self._before = before
        self._threads = ThreadPoolExecutor(1)
        self._run: Future[None] | None = None

    def __enter__(self) -> Self:
        self._run = self._threads.submit(self._receiver.run, self._handle,
                                         self.stop)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self._threads.shutdown()

    @property
    def messages(self) -> list[bytes]:
        return [message for batch in self.handled for message in batch]

    def end(self, seconds: float = PATIENCE) -> None:
        """Wait for the end of run(), and raise what it raised.

        TimeoutError where it does not come.
        """
        assert self._run
        self._run.result(seconds)

    def has(self, messages: Iterable[bytes]) -> None:
        """Wait until all the messages were handled."""
        wanted = set(messages)
        until(lambda: wanted <= set(self.messages), PATIENCE,
              'the messages to arrive')

    def _handle(self, messages: Sequence[bytes]) -> None:
        self._before(messages)
        self.handled.append(list(messages))


def numbered(count: int) -> list[bytes]:
    return [b'message %d' % number for number in range(count)]


def deliver(sender: Sender, messages: Iterable[bytes]) -> None:
    """Send as a spool does: each message until the bus has it."""
    for message in messages:
        for wait in pause.pauses(longest=1.0):
            if _sent(sender, message):
                break
            threading.Event().wait(wait)


def settle(server: RabbitMQ, url: str) -> None:
    """Declare the queues of a vhost, and wait until a power cut spares them.

    For the first second of its life RabbitMQ knows a quorum queue only in
    memory: killed in it, it has the queue again and never serves it.
    """
    amqp.connect(url=url).receiver().check()
    [register] = server.folder.glob('mnesia/*/quorum/*/names.dets')
    queue = f'{url.rpartition("/")[2]}_moc_meter.samples'.encode()
    until(lambda: register.read_bytes().count(queue) == 2, PATIENCE,
          'the queues to be on disk')


def _sent(sender: Sender, message: bytes) -> bool:
    try:
        sender.send(message)
    except errors.BusUnavailable:
        return False
    return True


@contextlib.contextmanager
def delivering(sender: Sender, messages: Sequence[bytes]
               ) -> Iterator[Future[None]]:
    """The same in a thread of its own."""
    with ThreadPoolExecutor(1) as threads:
        yield threads.submit(deliver, sender, messages)
