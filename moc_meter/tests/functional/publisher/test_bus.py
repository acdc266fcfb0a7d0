# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from moc_meter import errors
from moc_meter.messaging import codec
from moc_meter.model.sample import Sample
from moc_meter.publisher.bus import BusPublisher
from moc_meter.publisher.spool import Spool
from moc_meter.tests.contract.publishers import sample
from moc_meter.tests.contract.syscalls import on_a_full_disk

AWAY = errors.BusUnavailable('the bus is away')
OTHER = errors.BusMismatch('the queue has other arguments')


class ScriptedBus:
    """Fails as it is told, one fault a send, then takes everything.

    Without an end of faults it fails for ever. ``taken`` has what was sent.
    """

    def __init__(self, faults: Iterable[Exception] = ()) -> None:
        self.taken: queue.Queue[Sample] = queue.Queue()
        self.tries: queue.Queue[bytes] = queue.Queue()
        self.closed = False
        self._faults = iter(faults)

    def send(self, message: bytes) -> None:
        self.tries.put(message)
        for fault in self._faults:
            raise fault
        for one in codec.decode(message).samples:
            self.taken.put(one)

    def check(self) -> None:
        """There is nothing to look at."""

    def close(self) -> None:
        self.closed = True


class StuckBus(ScriptedBus):
    """Does not return from send before it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()

    def send(self, message: bytes) -> None:
        super().send(message)
        self.let_go.wait(60)


def for_ever(fault: Exception) -> Iterator[Exception]:
    while True:
        yield fault


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / 'spool', max_bytes=10**6)


def waiting_in(folder: Path) -> int:
    spool = Spool(folder / 'spool', max_bytes=10**6)
    try:
        return spool.waiting[0]
    finally:
        spool.close()


def test_what_is_published_is_sent_oldest_first(spool: Spool) -> None:
    bus = ScriptedBus()
    publisher = BusPublisher(spool, bus)
    for number in range(50):
        publisher.publish([sample(number)])
    assert [bus.taken.get(timeout=60) for _ in range(50)] == [
        sample(number) for number in range(50)]
    publisher.close()


def test_what_the_bus_has_leaves_the_spool(spool: Spool, tmp_path: Path
                                           ) -> None:
    bus = ScriptedBus()
    publisher = BusPublisher(spool, bus)
    publisher.publish([sample(1)])
    bus.taken.get(timeout=60)
    publisher.close()
    assert waiting_in(tmp_path) == 0


def test_what_the_last_start_left_is_sent_first(spool: Spool) -> None:
    spool.append([codec.encode([sample(1)])])
    bus = ScriptedBus()
    publisher = BusPublisher(spool, bus)
    publisher.publish([sample(2)])
    assert [bus.taken.get(timeout=60) for _ in range(2)] == [
        sample(1), sample(2)]
    publisher.close()


def test_what_fails_is_sent_again_in_its_order(spool: Spool) -> None:
    bus = ScriptedBus([AWAY, AWAY])
    publisher = BusPublisher(spool, bus)
    publisher.publish([sample(1)])
    publisher.publish([sample(2)])
    assert [bus.taken.get(timeout=60) for _ in range(2)] == [
        sample(1), sample(2)]
    publisher.close()
    assert (publisher.counts.made, publisher.counts.sent,
            publisher.counts.failed) == (2, 2, 2)


def test_a_message_stays_until_the_bus_says_that_it_has_it(
        spool: Spool, tmp_path: Path) -> None:
    bus = ScriptedBus(for_ever(AWAY))
    publisher = BusPublisher(spool, bus)
    publisher.publish([sample(1)])
    for _ in range(2):
        bus.tries.get(timeout=60)
    publisher.close()
    assert waiting_in(tmp_path) == 1
    assert bus.closed


def test_on_a_full_disk_each_message_is_sent_once(
        spool: Spool, caplog: pytest.LogCaptureFixture) -> None:
    """What was sent cannot be written down there, and is not sent again."""
    spool.append([codec.encode([sample(number)]) for number in range(60)])
    bus = ScriptedBus()
    publisher = on_a_full_disk(lambda: BusPublisher(spool, bus))
    assert [bus.taken.get(timeout=60) for _ in range(60)] == [
        sample(number) for number in range(60)]
    publisher.close()
    assert bus.taken.empty()
    [line] = caplog.messages
    assert line.startswith('spool cannot forget what was sent')


def test_an_outage_is_told_at_its_beginning_and_its_end(
        spool: Spool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, 'moc_meter.publisher')
    bus = ScriptedBus([AWAY, AWAY])
    publisher = BusPublisher(spool, bus)
    publisher.publish([sample(1)])
    bus.taken.get(timeout=60)
    publisher.close()
    assert [(record.levelname, record.message.split()[:2])
            for record in caplog.records] == [
        ('WARNING', ['bus', 'lost']), ('INFO', ['bus', 'back'])]


def test_a_queue_of_other_arguments_is_an_error_and_loses_nothing(
        spool: Spool, caplog: pytest.LogCaptureFixture) -> None:
    bus = ScriptedBus([OTHER, OTHER])
    publisher = BusPublisher(spool, bus)
    publisher.publish([sample(1)])
    assert bus.taken.get(timeout=60) == sample(1)
    publisher.close()
    [record] = [one for one in caplog.records if one.levelname == 'ERROR']
    assert errors.BusMismatch.code in record.message


def test_publishing_does_not_wait_for_the_bus(spool: Spool) -> None:
    bus = StuckBus()
    publisher = BusPublisher(spool, bus)
    publisher.publish([sample(1)])
    bus.tries.get(timeout=60)
    publisher.publish([sample(2)])
    assert spool.waiting[0] == 2
    bus.let_go.set()
    publisher.close()


def test_closing_sends_what_a_willing_bus_takes(
        spool: Spool, tmp_path: Path) -> None:
    bus = StuckBus()
    publisher = BusPublisher(spool, bus)
    publisher.publish([sample(1)])
    publisher.publish([sample(2)])
    bus.tries.get(timeout=60)
    closing = threading.Thread(target=publisher.close)
    closing.start()
    publisher._stop.wait(60)
    bus.let_go.set()
    closing.join()
    assert waiting_in(tmp_path) == 0


def test_closing_keeps_what_the_bus_does_not_take(
        spool: Spool, tmp_path: Path) -> None:
    bus = ScriptedBus([AWAY] * 100)
    publisher = BusPublisher(spool, bus)
    publisher.publish([sample(1)])
    bus.tries.get(timeout=60)
    publisher.close()
    assert waiting_in(tmp_path) == 1


@pytest.mark.filterwarnings(
    'ignore::pytest.PytestUnhandledThreadExceptionWarning')
def test_whoever_publishes_is_told_that_the_sending_has_ended(
        spool: Spool) -> None:
    bus = ScriptedBus([ZeroDivisionError()])
    publisher = BusPublisher(spool, bus)
    publisher.publish([sample(1)])
    bus.tries.get(timeout=60)
    publisher.close()
    with pytest.raises(RuntimeError, match='nothing is sent'):
        publisher.publish([sample(2)])
