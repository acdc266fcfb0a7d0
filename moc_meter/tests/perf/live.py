# SPDX-License-Identifier: Apache-2.0
"""T3: notifications of one sample each, beside a listener that only counts.

What oslo.messaging's Notifier has sent waits in the queue of a cloud's bus,
one notification a message. Ours: an installed agent hears them, makes a
sample of each, keeps it in its spool, signs and sends it; RabbitMQ carries
it; an installed collector stores it in PostgreSQL. The reference: a process
that hears the same notifications with a listener of oslo.messaging, whose
endpoint counts and does nothing else. Both stand still (SIGSTOP) while the
queue is filled; a turn ends when the last sample is committed, or the last
notification is counted.
"""

from __future__ import annotations

import contextlib
import itertools
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import oslo_messaging
from oslo_config import cfg

from moc_meter.tests.acceptance.installation import Installation
from moc_meter.tests.perf import listener
from moc_meter.tests.perf.frame import (
    Bound,
    Figure,
    Setting,
    Side,
    Target,
    alternate,
    peers,
)
from moc_meter.tests.perf.pipeline import PATIENCE, Keys, Workers, servers
from moc_meter.tests.servers.base import until

_EXCHANGE = 'cinder'
#: Notifications of a turn, and the volumes that they are of. They are so many
#: since the last of a turn wait for others to travel with, in the agent and in
#: the collector, for 0.4 s together: no part of a flow that goes on.
_TURN, _VOLUMES = 18_000, 700


class _Cloud:
    """Sends notifications as a service does."""

    def __init__(self, url: str) -> None:
        conf = cfg.ConfigOpts()
        conf([], project='cinder', default_config_files=[],
             default_config_dirs=[])
        self._transport = oslo_messaging.get_notification_transport(
            conf, url=url)
        conf.set_override('control_exchange', _EXCHANGE)
        self._notifier = oslo_messaging.Notifier(
            self._transport, publisher_id='volume.host-1',
            driver='messagingv2', topics=['notifications'])
        self._numbers = itertools.count()

    def send(self, number: int) -> None:
        for place in itertools.islice(self._numbers, number):
            volume = place % _VOLUMES
            self._notifier.info({}, 'volume.update.end', {
                'volume_id': f'volume-{volume}', 'size': 10 + volume % 90,
                'tenant_id': f'project-{volume % 60}', 'status': 'available',
                'user_id': f'user-{volume % 60}', 'volume_type': 'fast',
                'display_name': f'disk {volume}', 'availability_zone': 'a'})

    def close(self) -> None:
        self._transport.cleanup()


class _Ours:
    """An agent, and a collector."""

    def __init__(self, folder: Path, keys: Keys, *, cloud: str, bus: str,
                 database: str) -> None:
        self._stack = contextlib.ExitStack()
        self.close = self._stack.close
        self._cloud = self._stack.enter_context(
            contextlib.closing(_Cloud(cloud)))
        self._workers = Workers(folder / 'collector', keys, iter(()), bus=bus,
                                database=database, workers=1)
        self._stack.callback(self._workers.close)
        state = folder / 'agent'
        state.mkdir()
        self._installed = self._stack.enter_context(Installation(state, {
            'DEFAULT': {'state_dir': state},
            'messaging': {'url': bus, 'signing_key': keys.private},
            'polling': {'hypervisor': '', 'hardware': ''},
            'notification': {'url': cloud,
                             'exchanges': _EXCHANGE, 'profiles': 'metric',
                             'events': ''}}))
        self.agent = self._installed.start('moc-meter-agent')
        until(lambda: 'listening exchanges'
              in self._installed.log('moc-meter-agent').read_text(),
              PATIENCE, 'the agent to listen')

    def pids(self) -> list[int]:
        return [self.agent.pid, *self._workers.pids()]

    def ready(self) -> None:
        self.agent.send_signal(signal.SIGSTOP)
        self._cloud.send(_TURN)
        self._workers.expect(_TURN)

    def turn(self) -> int:
        self.agent.send_signal(signal.SIGCONT)
        return self._workers.wait()


class _Bare:
    """The listener that only counts."""

    def __init__(self, cloud: str) -> None:
        self._cloud = _Cloud(cloud)
        self._process = subprocess.Popen(
            [sys.executable, '-m', listener.__name__,
             cloud, _EXCHANGE, str(_TURN)],
            stdout=subprocess.PIPE)
        self._line()

    def ready(self) -> None:
        self._process.send_signal(signal.SIGSTOP)
        self._cloud.send(_TURN)

    def turn(self) -> int:
        self._process.send_signal(signal.SIGCONT)
        self._line()
        return _TURN

    def _line(self) -> None:
        assert self._process.stdout
        assert self._process.stdout.readline(), 'the listener has ended'

    def close(self) -> None:
        self._cloud.close()
        self._process.kill()
        self._process.communicate()


@contextlib.contextmanager
def sides() -> Iterator[tuple[_Ours, _Bare]]:
    with servers() as (database, broker, folder), \
            contextlib.ExitStack() as stack:
        # The same broker in oslo.messaging's words.
        clouds = [broker.create_vhost().replace('amqp:', 'rabbit:')
                  for _ in range(2)]
        ours = _Ours(folder, Keys(folder), cloud=clouds[0],
                     bus=broker.create_vhost(),
                     database=database.create_database())
        stack.callback(ours.close)
        bare = _Bare(clouds[1])
        stack.callback(bare.close)
        yield ours, bare


def _figures(setting: Setting) -> list[Figure]:
    with sides() as (ours, bare):
        return alternate([
            Side(name='agent to database', unit='samples/s',
                 ready=ours.ready, turn=ours.turn, pids=ours.pids),
            Side(name='bare oslo listener', unit='samples/s',
                 ready=bare.ready, turn=bare.turn),
            *peers('T3', None, setting)], setting)


T3 = Target(
    name='T3', figures=_figures,
    title='live, notifications of one sample each, from the bus of the cloud '
          'into the database',
    bounds=[Bound(of='agent to database', by='bare oslo listener',
                  least=0.70),
            Bound(of='agent to database', by='Ceilometer', least=6)])
