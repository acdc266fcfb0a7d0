# SPDX-License-Identifier: Apache-2.0
"""What is given back to the bus, and what is not."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from moc_meter import errors
from moc_meter.agent.notification.base import Notification, NotificationPlugin
from moc_meter.agent.notification.cloud import CloudBus
from moc_meter.agent.notification.compute_versioned import (
    VersionedInstanceMeters,
)
from moc_meter.agent.notification.host import PluginHost
from moc_meter.agent.notification.service import NotificationService
from moc_meter.agent.notification.volume import VolumeMeters
from moc_meter.model import meter
from moc_meter.model.sample import Refused, Sample

DEFINITIONS = meter.load()


@dataclass
class Recorder:
    """A publisher that is full for some calls, and never takes very much."""

    full: int = 0
    most: int = 10 ** 9         # of samples at once
    samples: list[Sample] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    calls: int = 0

    def publish(self, samples: Sequence[Sample],
                refused: Sequence[Refused] = ()) -> None:
        self.calls += 1
        if self.calls <= self.full:
            raise errors.SpoolFull('no room')
        if len(samples) + len(refused) > self.most:
            raise errors.BatchTooLarge('a batch is larger than the spool')
        self.samples += samples
        self.refused += refused

    def close(self) -> None:
        pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Bus(CloudBus):
    """One that keeps which topics it was declared with."""

    declared: list[str] = field(default_factory=list)

    def declare(self, priorities: Sequence[str]) -> None:
        assert 'info' in priorities
        self.declared.extend(self.topics)


@dataclass(frozen=True)
class Message:
    """As the listener hands it over: the context is apart."""

    message: dict[str, Any]
    ctxt: dict[str, Any]


def message(**changes: Any) -> Message:
    return Message({'message_id': 'n-1', 'event_type': 'volume.create.end',
                    'publisher_id': 'volume.h1', 'priority': 'INFO',
                    'timestamp': '2026-03-01 12:00:00',
                    'payload': {'volume_id': 'v-1', 'size': 1}} | changes,
                   {'user_id': 'u-1', 'auth_token': 'secret'})


def service(publisher: Recorder, **strangers: NotificationPlugin
            ) -> NotificationService:
    return NotificationService(
        CloudBus(url='rabbit://nobody@localhost:1/'), source='region-1',
        host=PluginHost({'volume': VolumeMeters(), **strangers}, DEFINITIONS,
                        patience=1),
        publisher=publisher)


def test_what_is_durable_is_not_given_back() -> None:
    recorder = Recorder()
    assert not service(recorder).dispatch([message(), message()])
    assert len(recorder.samples) == 4
    assert recorder.calls == 1


def test_what_gives_nothing_is_not_given_back_and_not_published() -> None:
    recorder = Recorder()
    strange = [message(event_type='volume.usage'), message(priority=None),
               message(payload=7), message(event_type=None), message()]
    assert not service(recorder).dispatch(strange[:-1])
    assert recorder.calls == 0


@pytest.mark.parametrize('change', [{'timestamp': 7}, {'message_id': None}])
def test_what_is_not_understood_is_refused_and_not_given_back(
        change: dict[str, Any]) -> None:
    recorder = Recorder()
    assert not service(recorder).dispatch([message(**change)])
    [refused] = recorder.refused
    assert b'secret' not in refused.content


def test_a_plugin_that_hangs_costs_only_its_own_of_the_batch() -> None:
    recorder, let_go = Recorder(), threading.Event()

    class Hanging:
        event_types = ('volume.*',)

        def samples(self, notification: Notification) -> list[Sample]:
            if notification.message_id == 'n-2':
                let_go.wait()
            return []

    try:
        assert not service(recorder, hanging=Hanging()).dispatch(
            [message(message_id=f'n-{place}') for place in range(5)])
    finally:
        let_go.set()
    assert (len(recorder.samples), len({one.message_id for one
                                        in recorder.samples})) == (10, 10)
    assert [json.loads(refused.content)['message_id']
            for refused in recorder.refused] == ['n-2', 'n-3', 'n-4']
    assert 'does not answer' in recorder.refused[0].reason
    assert all('not asked' in one.reason for one in recorder.refused[1:])


def test_a_full_spool_is_waited_for() -> None:
    recorder = Recorder(full=2)
    assert not service(recorder).dispatch([message()])
    assert (recorder.calls, len(recorder.samples)) == (3, 2)


def test_what_is_too_large_for_the_spool_goes_there_in_parts() -> None:
    recorder = Recorder(most=2)
    assert not service(recorder).dispatch(
        [message(), message(timestamp=7), message()])
    assert ([sample.meter for sample in recorder.samples],
            len(recorder.refused)) == (['volume.size', 'volume'] * 2, 1)


@pytest.mark.parametrize(('profiles', 'topics'), [
    (('metric',), ['notifications']),
    (('metric', 'versioned'), ['notifications', 'versioned_notifications'])])
def test_versioned_notifications_are_heard_where_they_are_wanted(
        profiles: tuple[str, ...], topics: list[str]) -> None:
    bus = Bus(url='rabbit://nobody@localhost:1/')
    NotificationService(
        bus, source='region-1', publisher=Recorder(), host=PluginHost(
            {'versioned': VersionedInstanceMeters()}, DEFINITIONS, profiles)
    ).check()
    assert bus.declared == topics


@pytest.mark.parametrize('url', [
    'kafka://host', 'rabbit:///', 'nonsense', 'mysql+pymysql://host/x'])
def test_a_bus_that_is_no_rabbitmq_is_refused(url: str) -> None:
    listening = NotificationService(
        CloudBus(url=url), source='region-1',
        host=PluginHost({}, DEFINITIONS), publisher=Recorder())
    with pytest.raises(errors.InvalidConfiguration):
        listening.run(threading.Event())
