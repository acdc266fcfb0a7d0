# SPDX-License-Identifier: Apache-2.0
"""The listener on a real broker, with notifiers in other processes."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from kombu.entity import Exchange, Queue
from kombu.messaging import Producer

from moc_meter import errors, plugins
from moc_meter.agent.notification import message
from moc_meter.agent.notification.cloud import CloudBus
from moc_meter.agent.notification.host import PluginHost
from moc_meter.agent.notification.service import NotificationService
from moc_meter.messaging import codec
from moc_meter.model import meter
from moc_meter.model.sample import Refused, Sample
from moc_meter.publisher import file
from moc_meter.tests.servers.base import until
from moc_meter.tests.servers.rabbitmq import RabbitMQ, connect

DATA = Path(__file__).parents[2] / 'data' / 'notifications'
DEFINITIONS = meter.load()
QUEUE = 'notifications.info'
HERE = 'moc_meter.tests.functional.agent'
QUEUES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    'plain': ({}, {}),
    'durable': ({'durable': True}, {'amqp_durable_queues': True}),
    'quorum': ({'quorum': True, 'delivery_limit': 9},
               {'rabbit_quorum_queue': True,
                'rabbit_quorum_delivery_limit': 9})}


@dataclass
class Recorder:
    """A publisher in memory; full for its first calls, or broken."""

    full: int = 0
    broken: Exception | None = None
    calls: int = 0
    samples: list[Sample] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)

    def publish(self, samples: Sequence[Sample],
                refused: Sequence[Refused] = ()) -> None:
        self.calls += 1
        if self.broken:
            raise self.broken
        if self.calls <= self.full:
            raise errors.SpoolFull('no room')
        self.samples += samples
        self.refused += refused

    def close(self) -> None:
        pass

    @property
    def resources(self) -> set[str]:
        return {sample.resource_id for sample in self.samples}


def rabbit(url: str) -> str:
    """oslo.messaging's spelling of kombu's URL."""
    return url.replace('amqp://', 'rabbit://')


def service(url: str, recorder: Recorder, **bus: Any) -> NotificationService:
    found = plugins.load('moc_meter.notification')
    host = PluginHost({name: plugin() for name, plugin in found.items()},
                      DEFINITIONS)
    return NotificationService(CloudBus(url=rabbit(url), **bus),
                               source='region-1', host=host,
                               publisher=recorder)


@contextlib.contextmanager
def listening(url: str, recorder: Recorder, **bus: Any
              ) -> Iterator[threading.Event]:
    """A listener in a thread; ended, and seen to end, at the exit."""
    stop = threading.Event()
    thread = threading.Thread(
        target=service(url, recorder, **bus).run, args=(stop,), daemon=True)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(60)
    assert not thread.is_alive()


def volume(name: str, **changes: Any) -> dict[str, Any]:
    return {'message_id': f'n-{name}', 'event_type': 'volume.create.end',
            'publisher_id': 'volume.h1', 'priority': 'INFO',
            'timestamp': '2026-03-01 12:00:00', '_unique_id': f'u-{name}',
            'payload': {'volume_id': name, 'size': 1}} | changes


def send(url: str, *bodies: object, exchange: str = 'cinder') -> None:
    """Put messages on the bus exactly as they are."""
    with connect(url) as wire:
        producer = Producer(  # type: ignore[no-untyped-call]
            wire.default_channel)
        for body in bodies:
            producer.publish(  # type: ignore[no-untyped-call]
                body if isinstance(body, bytes) else json.dumps(body),
                exchange=exchange, routing_key=QUEUE,
                content_type='application/json', content_encoding='utf-8')


def run(module: str, *arguments: str, given: str = '') -> int:
    return subprocess.run(
        [sys.executable, '-m', f'{HERE}.{module}', *arguments],
        input=given.encode(), timeout=60).returncode


def unanswered(server: RabbitMQ, url: str) -> int:
    return server.queue_depth(url.rpartition('/')[2], QUEUE)


def captured(*services: str) -> Iterator[tuple[dict[str, Any], list[Any]]]:
    for path in sorted((DATA / 'messages').glob('*.json')):
        if path.name.startswith(services):
            expected = json.loads((DATA / 'expected' / path.name).read_text())
            yield message.flat(path.read_bytes()), expected['expected']


@pytest.mark.parametrize('queues', QUEUES)
@pytest.mark.parametrize('driver', ['messaging', 'messagingv2'])
def test_what_another_process_notifies_arrives_as_its_samples(
        amqp_url: str, driver: str, queues: str) -> None:
    ours, theirs = QUEUES[queues]
    known = list(captured('nova-instance', 'cinder', 'glance'))
    lines = [{'url': rabbit(amqp_url), 'driver': driver, 'rabbit': theirs,
              'exchange': 'glance'}, *(flat for flat, _ in known)]
    recorder = Recorder()
    wanted = sorted((one['name'], one['type'], one['unit'],
                     one['resource_id'], one['project_id'] or '',
                     one['user_id'] or '')
                    for _, expected in known for one in expected)
    with listening(amqp_url, recorder, **ours):
        assert run('notifier', given='\n'.join(map(json.dumps, lines))) == 0
        until(lambda: len(recorder.samples) >= len(wanted), 60, 'samples')
    assert sorted((one.meter, one.kind.value, one.unit, one.resource_id,
                   one.project_id or '', one.user_id or '')
                  for one in recorder.samples) == wanted
    assert recorder.refused == []


def test_all_that_the_services_say_arrives_as_its_samples(amqp_url: str
                                                          ) -> None:
    known = [(flat, [one for one in expected if one['profile'] != 'versioned'])
             for flat, expected in captured('')]
    assert len(known) == 93
    wanted = sorted((
        (one['name'], one['type'], one['unit'], one['resource_id'],
         one['project_id'] or '', one['user_id'] or '', one['volume'])
        for _, expected in known for one in expected))
    recorder = Recorder()
    with listening(amqp_url, recorder):
        for start, driver in enumerate(('messaging', 'messagingv2')):
            lines = [{'url': rabbit(amqp_url), 'driver': driver, 'rabbit': {},
                      'exchange': 'keystone'},
                     *(flat for flat, _ in known[start::2])]
            assert run('notifier', given='\n'.join(map(json.dumps, lines))
                       ) == 0
        until(lambda: len(recorder.samples) >= len(wanted), 60, 'samples')
    arrived = sorted(
        (one.meter, one.kind.value, one.unit, one.resource_id,
         one.project_id or '', one.user_id or '', float(one.volume))
        for one in recorder.samples)
    assert [one[:-1] for one in arrived] == [one[:-1] for one in wanted]
    assert [one[-1] for one in arrived] == pytest.approx(
        [one[-1] for one in wanted], rel=1e-9)
    assert recorder.refused == []


def test_every_exchange_is_heard(amqp_url: str) -> None:
    recorder = Recorder()
    exchanges = ('nova', 'cinder', 'glance', 'neutron')
    service(amqp_url, recorder).check()
    for exchange in exchanges:
        send(amqp_url, volume(exchange), exchange=exchange)
    with listening(amqp_url, recorder):
        until(lambda: recorder.resources == set(exchanges), 60, 'samples')


def test_what_comes_often_is_the_same_sample_and_blocks_nothing(
        amqp_url: str) -> None:
    recorder = Recorder()
    service(amqp_url, recorder).check()
    send(amqp_url, volume('again'))
    with listening(amqp_url, recorder):
        until(lambda: recorder.samples, 60, 'a sample')
        # More than are prefetched: if they were kept, nothing came any more.
        send(amqp_url, *[volume('again')] * 400, volume('fresh'))
        until(lambda: 'fresh' in recorder.resources, 60, 'the fresh one')
    assert len({sample.key for sample in recorder.samples}) == 4


def test_a_listener_killed_before_it_acknowledged_loses_nothing(
        amqp_url: str, tmp_path: Path) -> None:
    recorder = Recorder()
    service(amqp_url, recorder).check()
    send(amqp_url, *(volume(f'v-{number}') for number in range(250)))
    durable = tmp_path / 'samples'
    assert run('listener', rabbit(amqp_url), str(durable)) == -signal.SIGKILL
    before = {sample.key for content in file.read(durable)
              for sample in codec.decode(content).samples}
    assert before
    with listening(amqp_url, recorder):
        until(lambda: len(recorder.resources) == 250, 60, 'all samples')
    after = {sample.key for sample in recorder.samples}
    assert before <= after
    assert len(after) == 500


def test_while_the_spool_is_full_notifications_are_held(
        amqp_url: str, rabbitmq_server: RabbitMQ) -> None:
    recorder = Recorder(full=4)
    service(amqp_url, recorder).check()
    send(amqp_url, volume('held'))
    with listening(amqp_url, recorder):
        until(lambda: recorder.samples, 60, 'room')
    assert (recorder.calls, len(recorder.samples)) == (5, 2)
    assert unanswered(rabbitmq_server, amqp_url) == 0


def test_who_leaves_while_the_spool_is_full_gives_back_what_is_held(
        amqp_url: str, rabbitmq_server: RabbitMQ) -> None:
    recorder = Recorder(full=1_000_000)
    service(amqp_url, recorder).check()
    send(amqp_url, volume('held'))
    with listening(amqp_url, recorder):
        until(lambda: recorder.calls, 60, 'a full spool')
    until(lambda: unanswered(rabbitmq_server, amqp_url) == 1, 60, 'it back')


def test_what_cannot_be_understood_stops_nothing_and_comes_once(
        amqp_url: str, rabbitmq_server: RabbitMQ) -> None:
    recorder = Recorder()
    service(amqp_url, recorder).check()
    send(amqp_url, b'{', b'\xff\xfe', [], 7, None, {},
         volume('a', priority=None), volume('b', priority=7),
         volume('c', payload=None), volume('d', event_type={}),
         volume('e', timestamp='noon'), volume('f', priority='ERROR'),
         {'oslo.version': '2.0', 'oslo.message': '{'},
         {'oslo.version': '9.0', 'oslo.message': '{}'}, volume('good'))
    with listening(amqp_url, recorder):
        until(lambda: recorder.samples, 60, 'the good one')
    assert recorder.resources == {'good'}
    [refused] = recorder.refused
    assert json.loads(refused.content)['message_id'] == 'n-e'
    assert unanswered(rabbitmq_server, amqp_url) == 0


def test_a_fault_of_the_publisher_ends_the_listener_and_loses_nothing(
        amqp_url: str, rabbitmq_server: RabbitMQ) -> None:
    recorder = Recorder(broken=RuntimeError('disk is gone'))
    listener = service(amqp_url, recorder)
    listener.check()
    send(amqp_url, volume('kept'))
    with pytest.raises(RuntimeError, match='disk is gone'):
        listener.run(threading.Event())
    assert recorder.calls == 1
    until(lambda: unanswered(rabbitmq_server, amqp_url) == 1, 60, 'it back')


@pytest.mark.parametrize('ours', QUEUES)
@pytest.mark.parametrize('theirs', QUEUES)
def test_a_queue_with_other_arguments_is_found_at_the_start(
        amqp_url: str, ours: str, theirs: str) -> None:
    service(amqp_url, Recorder(), **QUEUES[theirs][0]).check()
    listener = service(amqp_url, Recorder(), **QUEUES[ours][0])
    if ours == theirs:
        listener.check()
    else:
        with pytest.raises(errors.BusMismatch):
            listener.run(threading.Event())


@pytest.mark.parametrize('durable', [True, False])
def test_an_exchange_with_other_arguments_is_found_at_the_start(
        amqp_url: str, durable: bool) -> None:
    with connect(amqp_url) as wire:
        Exchange(  # type: ignore[no-untyped-call]
            'nova', type='topic', durable=not durable
        )(wire.default_channel).declare()
    with pytest.raises(errors.BusMismatch):
        service(amqp_url, Recorder(), durable=durable).check()


def test_a_queue_that_expires_is_not_taken_for_ours(amqp_url: str) -> None:
    with connect(amqp_url) as wire:
        Queue(  # type: ignore[no-untyped-call]
            QUEUE, exchange=Exchange(  # type: ignore[no-untyped-call]
                'nova', type='topic', durable=False),
            routing_key=QUEUE, durable=False, expires=600.0,
        )(wire.default_channel).declare()
    with pytest.raises(errors.BusMismatch, match='x-expires'):
        service(amqp_url, Recorder()).check()


def test_a_bus_that_is_away_is_waited_for_until_one_leaves() -> None:
    with listening('amqp://guest:guest@127.0.0.1:1/', Recorder()):
        pass
    with pytest.raises(errors.BusUnavailable):
        service('amqp://guest:guest@127.0.0.1:1/', Recorder()).check()


def test_a_restarted_broker_is_heard_again_and_a_stopped_one_can_be_left(
        ) -> None:
    recorder = Recorder()
    with RabbitMQ() as server:
        url = server.create_vhost()
        service(url, recorder, durable=True).check()
        with listening(url, recorder, durable=True):
            send(url, volume('before'))
            until(lambda: 'before' in recorder.resources, 60, 'a sample')
            server.kill()
            server.start()
            send(url, volume('after'))
            until(lambda: 'after' in recorder.resources, 60, 'a sample')
            server.stop()
