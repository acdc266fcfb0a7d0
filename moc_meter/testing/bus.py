# SPDX-License-Identifier: Apache-2.0
"""What every bus promises; see messaging/base.py."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

import pytest

from moc_meter import contracts, errors
from moc_meter.messaging.base import Bus, Receiver, Sender
from moc_meter.model import pause

PATIENCE = 60.0
#: Messages of a batch, at most.
BATCH = 4


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
        arrived(messages, self)

    def _handle(self, messages: Sequence[bytes]) -> None:
        self._before(messages)
        self.handled.append(list(messages))


def arrived(messages: Iterable[bytes], *fars: Far) -> None:
    """Wait until all the messages were handled, by whichever of them."""
    wanted, end = set(messages), time.monotonic() + PATIENCE
    while not wanted <= {one for far in fars for one in far.messages}:
        if time.monotonic() > end:
            raise TimeoutError('messages did not arrive')
        threading.Event().wait(0.02)


def numbered(count: int) -> list[bytes]:
    return [b'message %d' % number for number in range(count)]


def deliver(sender: Sender, messages: Iterable[bytes]) -> None:
    """Send as a spool does: each message until the bus has it."""
    for message in messages:
        for wait in pause.pauses(longest=1.0):
            if _sent(sender, message):
                break
            threading.Event().wait(wait)


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


class BusSuite:
    """Fill in the bus."""

    @pytest.fixture
    def bus(self) -> Bus:
        """An empty bus that hands over BATCH messages at once, at most."""
        raise NotImplementedError

    def test_it_has_two_ends(self, bus: Bus) -> None:
        assert contracts.complaints('moc_meter.bus', bus) == []

    def test_what_was_sent_arrives_in_its_order(self, bus: Bus) -> None:
        sender = bus.sender()
        with Far(bus.receiver()) as far:
            for message in numbered(20):
                sender.send(message)
            far.has(numbered(20))
        sender.close()
        assert far.messages == numbered(20)

    def test_bytes_arrive_as_they_were(self, bus: Bus) -> None:
        sender = bus.sender()
        with Far(bus.receiver()) as far:
            sender.send(bytes(range(256)))
            far.has([bytes(range(256))])
        sender.close()

    def test_a_message_of_a_megabyte_arrives(self, bus: Bus) -> None:
        sender, message = bus.sender(), bytes(1_000_000)
        with Far(bus.receiver()) as far:
            sender.send(message)
            far.has([message])
        sender.close()

    def test_a_batch_is_no_larger_than_was_asked_for(self, bus: Bus) -> None:
        sender = bus.sender()
        with Far(bus.receiver()) as far, ThreadPoolExecutor(10) as threads:
            list(threads.map(sender.send, numbered(50)))
            far.has(numbered(50))
        sender.close()
        assert max(map(len, far.handled)) <= BATCH

    def test_what_handle_raised_flies_out_of_run(self, bus: Bus) -> None:
        def broken(messages: Sequence[bytes]) -> None:
            raise BrokenError

        sender = bus.sender()
        with (Far(bus.receiver(), broken) as far,
              delivering(sender, [b'one']) as sending):
            with pytest.raises(BrokenError):
                far.end()
            with Far(bus.receiver()):
                sending.result(PATIENCE)
        sender.close()

    @pytest.mark.parametrize('fault', [OSError('handled'), BrokenError()])
    def test_what_was_not_acknowledged_arrives_again_and_nothing_else(
            self, bus: Bus, fault: Exception) -> None:
        """Also where handle raises what a lost connection might raise."""
        messages = numbered(20)

        def broken(batch: Sequence[bytes]) -> None:
            if messages[9] in batch:
                raise fault

        sender = bus.sender()
        with delivering(sender, messages) as sending:
            with Far(bus.receiver(), broken) as first, \
                    pytest.raises(type(fault)):
                first.end()
            with Far(bus.receiver()) as second:
                sending.result(PATIENCE)
                second.has(messages[9:])
        sender.close()
        assert first.messages + second.messages == messages

    def test_a_stop_finishes_the_batch_in_hand_and_takes_no_other(
            self, bus: Bus) -> None:
        inside, leave = threading.Event(), threading.Event()

        def slow(messages: Sequence[bytes]) -> None:
            inside.set()
            assert leave.wait(PATIENCE)

        sender = bus.sender()
        with delivering(sender, [b'one']) as sending:
            with Far(bus.receiver(), slow) as far:
                assert inside.wait(PATIENCE)
                far.stop.set()
                with pytest.raises(TimeoutError):
                    far.end(1.0)
                leave.set()
                far.end()
            sending.result(PATIENCE)
        with (delivering(sender, [b'two']) as sending,
              Far(bus.receiver()) as later):
            sending.result(PATIENCE)
            later.has([b'two'])
        sender.close()
        assert (far.messages, later.messages) == ([b'one'], [b'two'])

    def test_a_receiver_that_was_stopped_takes_nothing(self, bus: Bus) -> None:
        far = Far(bus.receiver())
        far.stop.set()
        with far:
            far.end()
        assert far.messages == []

    def test_several_senders_and_receivers_share_the_work(
            self, bus: Bus) -> None:
        senders = [bus.sender() for _ in range(3)]
        messages = numbered(120)
        with (Far(bus.receiver()) as one, Far(bus.receiver()) as other,
              ThreadPoolExecutor(6) as threads):
            for thread in range(6):
                threads.submit(deliver, senders[thread % 3],
                               messages[thread::6])
            arrived(messages, one, other)
        for sender in senders:
            sender.close()
        assert sorted(one.messages + other.messages) == sorted(messages)

    def test_a_check_and_a_close_may_come_at_any_time(self, bus: Bus) -> None:
        sender, receiver = bus.sender(), bus.receiver()
        for end in (sender, receiver):
            end.close()
            end.check()
            end.check()
            end.close()
            end.close()
        with Far(receiver) as far:
            sender.send(b'after all')
            far.has([b'after all'])
        sender.close()
