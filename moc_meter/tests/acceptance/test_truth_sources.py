# SPDX-License-Identifier: Apache-2.0
"""A made-up cloud speaks: its notifications and its guests are metered."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import itertools
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from moc_meter import plugins
from moc_meter.agent.polling.base import Tick
from moc_meter.agent.polling.round import Rounds
from moc_meter.agent.polling.survey import InstanceSurvey
from moc_meter.cmd.truth import over_bus
from moc_meter.model import period
from moc_meter.model.sample import Refused, Sample
from moc_meter.tests.acceptance import truths
from moc_meter.tests.acceptance.guests import Guests
from moc_meter.tests.servers.postgresql import PostgreSQL
from moc_meter.tests.servers.rabbitmq import RabbitMQ
from moc_meter.truth import forms
from moc_meter.truth.check import check
from moc_meter.truth.readings import Reading
from moc_meter.truth.world import World

POLLERS = ('cpu', 'memory', 'disk', 'interface')


class Notified(World):
    """A world of which only the notifications are sent."""

    def samples(self) -> Iterator[forms.Sample]:
        return iter(sorted(self.notified(), key=lambda one: one.timestamp))


@pytest.mark.parametrize('seed', [3, 4])
def test_notifications_give_the_samples_that_they_must(
        seed: int, tmp_path: Path, rabbitmq_server: RabbitMQ,
        postgresql_server: PostgreSQL) -> None:
    world = Notified(seed, 'small')
    cloud = rabbitmq_server.create_vhost().replace('amqp:', 'rabbit:')
    with contextlib.ExitStack() as stack:
        url = truths.distributed(
            stack, tmp_path, postgresql_server.create_database(),
            rabbitmq_server.create_vhost(),
            {'notification.url': cloud,
             'DEFAULT.sample_source': world.source}).url
        sent = truths.run('send', '--seed', seed, '--notifications', cloud,
                          '--json')
        assert sent.status == 0, sent.complained
        assert sent.report['confirmed'] == len(list(world.notifications()))
        truths.await_samples(url, world, len(list(world.notified())))
        report = check(url, world, questions=200)
        assert report.ok, report.text()


class Kept(list[Sample]):
    """A publisher that keeps what it is given."""

    def publish(self, samples: Sequence[Sample],
                refused: Sequence[Refused] = ()) -> None:
        assert not refused
        self += samples

    def close(self) -> None:
        """There is nothing to close."""


class Now:
    """A clock that stands at a tick."""

    def __init__(self) -> None:
        self.instant = period.EPOCH

    def now(self) -> datetime.datetime:
        return self.instant

    def wait(self, stop: threading.Event, _seconds: float) -> bool:
        return stop.is_set()


class Agents:
    """The rounds of the agents of all hosts."""

    def __init__(self, step: datetime.timedelta) -> None:
        self._step = step
        self._hosts: dict[str, tuple[Guests, Rounds]] = {}
        self._clock = Now()
        self.kept = Kept()

    def poll(self, tick: Tick, host: str, readings: list[Reading]) -> None:
        if host not in self._hosts:
            guests = Guests()
            pollers = {name: make(guests) for name, make in plugins.load(
                'moc_meter.poll.compute', POLLERS).items()}
            self._hosts[host] = guests, Rounds(
                'compute', InstanceSurvey(guests, pollers),
                publisher=self.kept, interval=self._step, clock=self._clock)
        guests, rounds = self._hosts[host]
        guests.readings = {one.name: one for one in readings}
        self._clock.instant = tick.instant
        rounds.begin(tick, threading.Event())
        assert rounds.join(60)
        assert not rounds.counted['faults']


@pytest.mark.parametrize('seed', range(1, 7))
def test_polled_guests_give_the_samples_that_they_must(seed: int) -> None:
    world = World(seed, 'small')
    agents = Agents(datetime.timedelta(seconds=world.frame.scale.step))
    for at, readings in itertools.groupby(world.readings(),
                                          lambda one: one.timestamp):
        tick = Tick(source=world.source, instant=period.instant(at))
        for host, those in itertools.groupby(
                sorted(readings, key=lambda one: one.host),
                lambda one: one.host):
            agents.poll(tick, host, list(those))
    wanted = {one.message_id: over_bus.sample(one) for one in world.polled()}
    found = {one.message_id: dataclasses.replace(one, rounded=False)
             for one in agents.kept}
    assert len(wanted) > 100
    assert found.keys() == wanted.keys()
    assert found == wanted
    assert len(agents.kept) == len(wanted)
