# SPDX-License-Identifier: Apache-2.0
"""What every bus promises; see messaging/base.py."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from moc_meter import errors, plugins
from moc_meter.messaging.base import Bus
from moc_meter.tests.contract.buses import (
    PATIENCE,
    BrokenError,
    Far,
    deliver,
    delivering,
    numbered,
)
from moc_meter.tests.servers.base import until

BATCH = 4


@pytest.fixture(params=['amqp', 'local'])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def bus(kind: str, request: pytest.FixtureRequest) -> Bus:
    values: dict[str, object] = {'batch_messages': BATCH, 'timeout': 20.0}
    if kind == 'amqp':
        values |= {'url': request.getfixturevalue('amqp_url'),
                   'batch_seconds': 0.05}
    made: Bus = plugins.load('moc_meter.bus', [kind])[kind](**values)
    return made


def test_what_was_sent_arrives_in_its_order(bus: Bus) -> None:
    sender = bus.sender()
    with Far(bus.receiver()) as far:
        for message in numbered(20):
            sender.send(message)
        far.has(numbered(20))
    sender.close()
    assert far.messages == numbered(20)


def test_bytes_arrive_as_they_were(bus: Bus) -> None:
    sender = bus.sender()
    with Far(bus.receiver()) as far:
        sender.send(bytes(range(256)))
        far.has([bytes(range(256))])
    sender.close()


def test_a_message_of_a_megabyte_arrives(bus: Bus) -> None:
    sender, message = bus.sender(), bytes(1_000_000)
    with Far(bus.receiver()) as far:
        sender.send(message)
        far.has([message])
    sender.close()


def test_a_batch_is_no_larger_than_was_asked_for(bus: Bus) -> None:
    sender = bus.sender()
    with Far(bus.receiver()) as far, ThreadPoolExecutor(10) as threads:
        list(threads.map(sender.send, numbered(50)))
        far.has(numbered(50))
    sender.close()
    assert max(map(len, far.handled)) <= BATCH


def test_what_handle_raised_flies_out_of_run(bus: Bus) -> None:
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
        bus: Bus, fault: Exception) -> None:
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
        bus: Bus) -> None:
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


def test_a_receiver_that_was_stopped_takes_nothing(bus: Bus) -> None:
    far = Far(bus.receiver())
    far.stop.set()
    with far:
        far.end()
    assert far.messages == []


def test_several_senders_and_receivers_share_the_work(bus: Bus) -> None:
    senders = [bus.sender() for _ in range(3)]
    messages = numbered(120)
    with (Far(bus.receiver()) as one, Far(bus.receiver()) as other,
          ThreadPoolExecutor(6) as threads):
        for thread in range(6):
            threads.submit(deliver, senders[thread % 3], messages[thread::6])
        until(lambda: {*messages} <= {*one.messages, *other.messages},
              PATIENCE, 'the messages to arrive')
    for sender in senders:
        sender.close()
    assert sorted(one.messages + other.messages) == sorted(messages)


def test_a_check_and_a_close_may_come_at_any_time(bus: Bus) -> None:
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


# What differs where nobody is there

@pytest.mark.parametrize('kind', ['amqp'])
def test_a_broker_keeps_what_nobody_takes(bus: Bus) -> None:
    sender = bus.sender()
    sender.send(b'early')
    sender.close()
    with Far(bus.receiver()) as far:
        far.has([b'early'])


def test_without_a_broker_what_nobody_takes_is_given_back() -> None:
    [connect] = plugins.load('moc_meter.bus', ['local']).values()
    bus: Bus = connect(timeout=0.1)
    with pytest.raises(errors.BusUnavailable, match='nobody'):
        bus.sender().send(b'early')
    with Far(bus.receiver()) as far:
        bus.sender().send(b'again')
    assert far.messages == [b'again']
