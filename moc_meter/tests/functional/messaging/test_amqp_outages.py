# SPDX-License-Identifier: Apache-2.0
"""The bus on a RabbitMQ that goes and comes, hangs, or cuts it off."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from moc_meter import errors
from moc_meter.messaging import amqp, broker
from moc_meter.tests.contract.buses import (
    PATIENCE,
    BrokenError,
    Far,
    deliver,
    delivering,
    numbered,
    settle,
)
from moc_meter.tests.functional.messaging.making import QUEUE, bus, vhost
from moc_meter.tests.servers.base import ServerFailed, until
from moc_meter.tests.servers.rabbitmq import RabbitMQ


@pytest.fixture(scope='module')
def frail_server() -> Iterator[RabbitMQ]:
    """A broker that the tests of this module may stop and kill."""
    with RabbitMQ() as server:
        yield server


@pytest.fixture
def frail(frail_server: RabbitMQ) -> Iterator[RabbitMQ]:
    frail_server.start()
    yield frail_server
    frail_server.resume()


@pytest.fixture
def frail_url(frail: RabbitMQ) -> str:
    url = frail.create_vhost()
    settle(frail, url)
    return url


@pytest.mark.parametrize('end', [RabbitMQ.stop, RabbitMQ.kill])
def test_a_broker_that_ends_in_mid_stream_loses_nothing(
        frail: RabbitMQ, frail_url: str, end: Callable[[RabbitMQ], None],
        caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger='moc_meter')
    sender, messages = bus(frail_url).sender(), numbered(3000)
    with Far(bus(frail_url).receiver()) as far, \
            delivering(sender, messages) as sending:
        far.has(messages[:100])
        end(frail)
        assert not sending.done()
        frail.start()
        sending.result(PATIENCE)
        far.has(messages)
    sender.close()
    assert [record.msg.partition(' queue=')[0] for record in caplog.records
            ] == ['bus lost', 'bus back']
    assert 'guest' not in caplog.text
    assert 'message ' not in caplog.text


def test_what_was_sent_survives_the_power_cut(frail: RabbitMQ, frail_url: str
                                              ) -> None:
    sender = bus(frail_url).sender()
    for message in numbered(50):
        sender.send(message)
    frail.kill()
    frail.start()
    with Far(bus(frail_url).receiver()) as far:
        far.has(numbered(50))
    sender.close()
    assert far.messages == numbered(50)


def test_a_sender_that_was_idle_does_not_notice_a_restart(
        frail: RabbitMQ, frail_url: str) -> None:
    sender = bus(frail_url).sender()
    sender.send(b'before')
    frail.stop()
    frail.start()
    sender.send(b'after')
    sender.close()
    with Far(bus(frail_url).receiver()) as far:
        far.has([b'before', b'after'])


def test_without_a_broker_a_send_raises(frail: RabbitMQ, frail_url: str
                                        ) -> None:
    frail.stop()
    sender = bus(frail_url).sender()
    with pytest.raises(errors.BusUnavailable, match=r'127\.0\.0\.1') as seen:
        sender.send(b'nowhere')
    with pytest.raises(errors.BusUnavailable):
        sender.check()
    assert 'guest' not in str(seen.value)


@pytest.mark.parametrize('connected', [True, False])
@pytest.mark.parametrize('size', [10, 20_000_000])
def test_a_send_to_a_broker_that_hangs_raises(
        frail: RabbitMQ, frail_url: str, connected: bool, size: int) -> None:
    sender = bus(frail_url, timeout=1.0).sender()
    if connected:
        deliver(sender, [b'before'])    # in time, sooner or later
    frail.pause()
    with pytest.raises(errors.BusUnavailable, match='timed out'):
        sender.send(bytes(size))
    frail.resume()
    deliver(sender, [b'once more'])
    sender.close()


def test_a_broker_that_hangs_does_not_hold_up_the_end(
        frail: RabbitMQ, frail_url: str) -> None:
    ours = bus(frail_url, timeout=1.0)
    sender = ours.sender()
    with Far(ours.receiver()) as far:
        deliver(sender, [b'one'])
        far.has([b'one'])
        frail.pause()
        sender.close()
        far.stop.set()
        far.end()


def test_a_broker_that_hangs_is_given_up(
        frail: RabbitMQ, frail_url: str, monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(amqp, '_HEARTBEAT', 1)
    ours = bus(frail_url, timeout=1.0)
    sender = ours.sender()
    with Far(ours.receiver()) as far:
        deliver(sender, [b'one'])
        far.has([b'one'])
        frail.pause()
        until(lambda: 'bus lost' in caplog.text, PATIENCE, 'a complaint')
        frail.resume()
        deliver(sender, [b'two'])
        far.has([b'two'])
    sender.close()


def test_the_connection_lives_on_while_handle_holds_its_messages(
        amqp_url: str, monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(amqp, '_HEARTBEAT', 1)

    def hold(messages: Sequence[bytes]) -> None:
        # Until the broker has lost its patience with one that is silent.
        with pytest.raises(OSError):
            silent.drain_events()

    silent = broker.Broker([amqp_url], QUEUE, None, PATIENCE).open(
        heartbeat=1).connection
    sender = bus(amqp_url).sender()
    sender.send(b'one')
    with Far(bus(amqp_url).receiver(), hold) as far:
        far.has([b'one'])
        sender.send(b'two')
        far.has([b'two'])
    sender.close()
    silent.collect()
    assert far.messages == [b'one', b'two']
    assert 'bus lost' not in caplog.text


def test_a_handle_that_outlives_its_connection_is_not_doubled(
        rabbitmq_server: RabbitMQ, amqp_url: str) -> None:
    """It is let finish, and acknowledges nothing: neither its own batch nor
    what came meanwhile."""
    inside, leave = threading.Event(), threading.Event()
    calls: list[Sequence[bytes]] = []

    def slow(messages: Sequence[bytes]) -> None:
        calls.append(messages)
        inside.set()
        assert leave.wait(PATIENCE)
        if len(calls) > 1:
            raise BrokenError

    sender = bus(amqp_url).sender()
    sender.send(b'one')
    sender.close()
    with Far(bus(amqp_url).receiver(), slow) as far:
        assert inside.wait(PATIENCE)
        rabbitmq_server.control('close_all_connections', '--vhost',
                                vhost(amqp_url), 'a test')
        with pytest.raises(ServerFailed):
            until(lambda: len(calls) > 1, 2.0, 'a second call')
        leave.set()
        with pytest.raises(BrokenError):
            far.end()
    with Far(bus(amqp_url).receiver()) as later:
        later.has([b'one'])
    assert [*far.messages, *later.messages] == [b'one', b'one']
