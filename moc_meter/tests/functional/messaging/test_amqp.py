# SPDX-License-Identifier: Apache-2.0
"""The bus on a RabbitMQ that does what brokers do; it stays up."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from moc_meter import errors
from moc_meter.messaging import broker
from moc_meter.tests.contract.buses import (
    PATIENCE,
    BrokenError,
    Far,
    deliver,
    numbered,
)
from moc_meter.tests.functional.messaging.making import QUEUE, bus, vhost
from moc_meter.tests.servers.base import until
from moc_meter.tests.servers.rabbitmq import RabbitMQ, connect

# What the broker says no to

def test_an_unroutable_message_raises(amqp_url: str) -> None:
    sender = bus(amqp_url).sender()
    sender.check()
    with connect(amqp_url) as connection:
        connection.default_channel.queue_delete(QUEUE)
    with pytest.raises(errors.BusUnavailable, match='NO_ROUTE'):
        sender.send(b'lost')
    sender.send(b'found')
    sender.close()
    with Far(bus(amqp_url).receiver()) as far:
        far.has([b'found'])
    assert far.messages == [b'found']


def test_a_message_that_a_full_queue_refuses_raises(
        rabbitmq_server: RabbitMQ, amqp_url: str) -> None:
    sender = bus(amqp_url).sender()
    sender.check()
    rabbitmq_server.control('set_policy', '-p', vhost(amqp_url), 'full',
                            '.*', '{"max-length":1}')
    with pytest.raises(errors.BusUnavailable, match='did not take'):
        list(map(sender.send, numbered(20)))
    sender.close()


@pytest.mark.parametrize(('declare', 'name', 'argument'), [
    (lambda channel: channel.queue_declare(
        QUEUE, durable=True, auto_delete=False), QUEUE, 'x-'),
    (lambda channel: channel.queue_declare(
        QUEUE, durable=True, auto_delete=False, arguments={
            'x-queue-type': 'quorum', 'x-delivery-limit': 5}), QUEUE, 'x-'),
    (lambda channel: channel.queue_declare(
        f'{QUEUE}.dead', durable=False, auto_delete=False),
     f'{QUEUE}.dead', 'durable'),
    (lambda channel: channel.exchange_declare(
        broker.EXCHANGE, 'topic', durable=True, auto_delete=False),
     broker.EXCHANGE, 'type'),
])
def test_other_arguments_are_refused_by_name(
        amqp_url: str, declare: Callable[[Any], object], name: str,
        argument: str) -> None:
    with connect(amqp_url) as connection:
        declare(connection.default_channel)
    taken: list[Sequence[bytes]] = []
    ours = bus(amqp_url)
    for deed in (ours.sender().check, ours.receiver().check,
                 lambda: ours.sender().send(b''),
                 lambda: ours.receiver().run(taken.append, threading.Event())):
        with pytest.raises(errors.BusMismatch) as seen:
            deed()
        assert name in seen.value.facts.values()
        assert str(seen.value.facts['argument']).startswith(argument)


def test_a_vhost_that_is_not_there_is_said(amqp_url: str) -> None:
    with pytest.raises(errors.BusUnavailable, match='not found'):
        bus(f'{amqp_url}-not').sender().check()


# What the receiver takes and gives back

def test_a_message_given_back_fifty_times_is_not_dropped(amqp_url: str
                                                         ) -> None:
    def broken(messages: Sequence[bytes]) -> None:
        raise BrokenError

    ours = bus(amqp_url)
    sender, receiver = ours.sender(), ours.receiver()
    sender.send(b'poison')
    for _ in range(50):
        with pytest.raises(BrokenError):
            receiver.run(broken, threading.Event())
    with Far(receiver) as far:
        far.has([b'poison'])
    sender.close()
    assert far.messages == [b'poison']


def test_two_batches_wait_here_and_no_more(rabbitmq_server: RabbitMQ,
                                           amqp_url: str) -> None:
    leave = threading.Event()
    ours = bus(amqp_url, batch_messages=5)
    sender = ours.sender()
    for message in numbered(30):
        sender.send(message)
    with Far(ours.receiver(), lambda _: leave.wait(PATIENCE)) as far:
        until(lambda: rabbitmq_server.queue_depth(vhost(amqp_url), QUEUE
                                                  ) == 20,
              PATIENCE, 'two batches to be taken')
        leave.set()
        far.has(numbered(30))
    sender.close()


def test_everything_is_back_in_the_queue_when_run_has_raised(
        rabbitmq_server: RabbitMQ, amqp_url: str) -> None:
    def broken(messages: Sequence[bytes]) -> None:
        raise BrokenError

    ours = bus(amqp_url)
    sender = ours.sender()
    for message in numbered(30):
        sender.send(message)
    with pytest.raises(BrokenError):
        ours.receiver().run(broken, threading.Event())
    until(lambda: rabbitmq_server.queue_depth(vhost(amqp_url), QUEUE) == 30,
          PATIENCE, 'the messages to be back')
    sender.close()


_DIES_IN_HAND = """
import os, signal, sys, threading
from moc_meter.messaging import amqp
amqp.connect(url=sys.argv[1], batch_seconds=0.05).receiver().run(
    lambda messages: os.kill(os.getpid(), signal.SIGKILL), threading.Event())
"""


def test_a_process_killed_before_handle_returns_has_acknowledged_nothing(
        amqp_url: str) -> None:
    ours = bus(amqp_url)
    sender = ours.sender()
    for message in numbered(20):
        sender.send(message)
    sender.close()
    killed = subprocess.run([sys.executable, '-c', _DIES_IN_HAND, amqp_url])
    assert killed.returncode == -9
    with Far(ours.receiver()) as far:
        far.has(numbered(20))


def test_a_queue_that_is_deleted_is_declared_again(amqp_url: str) -> None:
    ours = bus(amqp_url)
    sender = ours.sender()
    with Far(ours.receiver()) as far:
        deliver(sender, [b'one'])
        far.has([b'one'])
        with connect(amqp_url) as connection:
            connection.default_channel.queue_delete(QUEUE)
        deliver(sender, [b'two'])
        far.has([b'two'])
    sender.close()


def test_bytes_are_bytes_whatever_a_stranger_calls_them(amqp_url: str
                                                        ) -> None:
    bus(amqp_url).receiver().check()
    with connect(amqp_url) as connection:
        channel = connection.default_channel
        channel.basic_publish(channel.prepare_message(
            b'text', content_type='text/plain', content_encoding='utf-8'),
            broker.EXCHANGE, QUEUE)
    with Far(bus(amqp_url).receiver()) as far:
        far.has([b'text'])


def test_what_the_broker_may_not_deliver_is_kept_elsewhere(
        rabbitmq_server: RabbitMQ, amqp_url: str) -> None:
    sender = bus(amqp_url).sender()
    sender.send(b'rejected')
    sender.close()
    with connect(amqp_url) as connection:
        channel = connection.default_channel
        found = channel.basic_get(QUEUE)
        channel.basic_reject(found.delivery_tag, requeue=False)
    until(lambda: rabbitmq_server.queue_depth(vhost(amqp_url),
                                              f'{QUEUE}.dead') == 1,
          PATIENCE, 'the message to be there')


@pytest.mark.parametrize('held', [False, True])
def test_who_waits_does_not_compute(amqp_url: str, held: bool) -> None:
    """Neither for messages, nor for a handle that holds them."""
    ours, stop = bus(amqp_url), threading.Event()
    sender = ours.sender()
    if held:
        for message in numbered(20):
            sender.send(message)
    sender.close()
    timer = threading.Timer(3.0, stop.set)
    timer.start()
    def hold(messages: Sequence[bytes]) -> None:
        assert stop.wait(PATIENCE)

    before = time.thread_time()
    ours.receiver().run(hold, stop)
    assert time.thread_time() - before < 0.1
    timer.join()


# Where the broker is

def test_another_node_is_tried_where_one_is_gone(amqp_url: str) -> None:
    sender = bus(f'amqp://guest:guest@127.0.0.1:1/;{amqp_url}').sender()
    deliver(sender, [b'found'])
    sender.close()
    with Far(bus(amqp_url).receiver()) as far:
        far.has([b'found'])
