# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from moc_meter import errors
from moc_meter.agent.notification import message
from moc_meter.agent.notification.base import Notification, NotificationPlugin
from moc_meter.agent.notification.host import PluginHost
from moc_meter.agent.notification.volume import VolumeMeters
from moc_meter.model import meter
from moc_meter.model.sample import Sample

DEFINITIONS = meter.load()


class Broken:
    """A stranger's plugin that fails after its first sample."""

    event_types = ('volume.*',)

    def __init__(self, fault: Exception) -> None:
        self._fault = fault

    def samples(self, notification: Notification) -> Iterator[Sample]:
        yield from VolumeMeters().samples(notification)
        raise self._fault


class Careless:
    """A stranger's plugin that gives what is no sample."""

    event_types = ('volume.*',)

    def samples(self, _notification: Notification) -> Iterator[Any]:
        yield None


class Mail:
    """A site's plugin, of a meter that nobody defined."""

    event_types = ('mail.sent',)

    def samples(self, notification: Notification) -> Iterator[Sample]:
        subject = message.Subject.of(notification, 'mailbox', metadata={})
        assert subject is not None
        yield from subject.sample('mail.sent', 'mail', 1)


class Told(Mail):
    """One whose samples are of a profile, whatever their meters."""

    profile = 'existence'


class Instead(VolumeMeters):
    """One that is told in another form what VolumeMeters is told."""

    profile = 'versioned'
    instead_of = ('volume',)
    topics = ('other',)


def host(profiles: tuple[str, ...] = ('metric', 'existence'),
         **plugins: NotificationPlugin) -> PluginHost:
    return PluginHost({'volume': VolumeMeters(), **plugins}, DEFINITIONS,
                      profiles)


def flat(**changes: Any) -> dict[str, Any]:
    return {'message_id': 'n-1', 'event_type': 'volume.create.end',
            'publisher_id': 'volume.h1', 'priority': 'INFO',
            'timestamp': '2026-03-01 12:00:00', '_context_user_id': 'u-1',
            '_context_auth_token': 'secret',
            'payload': {'volume_id': 'v-1', 'size': 1}} | changes


@pytest.mark.parametrize(('profiles', 'meters'), [
    (('metric',), ['volume.size']), (('existence',), ['volume']),
    (('metric', 'existence'), ['volume.size', 'volume']), ((), [])])
def test_a_profile_says_which_samples_are_made(
        profiles: tuple[str, ...], meters: list[str]) -> None:
    outcome = host(profiles).take('region-1', flat())
    assert [sample.meter for sample in outcome.samples] == meters


def test_a_meter_that_nobody_defined_is_in_no_profile() -> None:
    outcome = host((), mail=Mail()).take('region-1',
                                         flat(event_type='mail.sent'))
    assert [sample.meter for sample in outcome.samples] == ['mail.sent']


@pytest.mark.parametrize(('profiles', 'count'), [
    (('existence',), 1), (('metric',), 0)])
def test_a_plugin_of_a_profile_is_asked_where_it_is_on(
        profiles: tuple[str, ...], count: int) -> None:
    outcome = host(profiles, mail=Told()).take('region-1',
                                               flat(event_type='mail.sent'))
    assert len(outcome.samples) == count


def test_a_plugin_that_stands_for_another_is_asked_instead_of_it() -> None:
    usual = host(('metric',), other=Instead())
    assert [sample.meter for sample in usual.take('region-1', flat()).samples
            ] == ['volume.size']
    assert usual.topics == ()
    other = host(('versioned',), other=Instead())
    assert [sample.meter for sample in other.take('region-1', flat()).samples
            ] == ['volume.size', 'volume']
    assert other.topics == ('other',)


@pytest.mark.parametrize('fault', [
    KeyError('size'), TypeError('no'), ValueError('no'), IndexError('no'),
    AttributeError('no'), RuntimeError('bug'), ZeroDivisionError('bug')])
def test_the_fault_of_one_plugin_stops_no_other(fault: Exception) -> None:
    with_it = host(broken=Broken(fault))
    outcome = with_it.take('region-1', flat())
    assert [sample.meter for sample in outcome.samples] == ['volume.size',
                                                            'volume']
    [refused] = outcome.refused
    assert refused.code == errors.InvalidMessage.code
    assert refused.reason == f'broken: {fault!r}'
    assert with_it.counts == {'notifications': 1, 'samples': 2, 'refused': 1,
                              'fault broken': 1}


def test_what_is_no_sample_is_the_fault_of_its_plugin_alone() -> None:
    outcome = host(careless=Careless()).take('region-1', flat())
    assert len(outcome.samples) == 2
    [refused] = outcome.refused
    assert refused.reason.startswith('careless: AttributeError')


def test_a_refusal_has_the_code_of_its_error() -> None:
    fault = errors.InvalidSample('volume must be finite', volume='x')
    [refused] = host(broken=Broken(fault)).take('region-1', flat()).refused
    assert refused.code == 'moc_meter.sample.invalid'
    assert 'volume must be finite' in refused.reason


def test_a_refused_notification_can_be_read_again_but_has_no_token() -> None:
    [refused] = host(broken=Broken(KeyError('x'))).take('region-1',
                                                        flat()).refused
    kept = flat()
    kept.pop('_context_auth_token')
    assert message.flat(refused.content) == kept
    assert b'secret' not in refused.content


@pytest.mark.parametrize('change', [{'timestamp': 'noon'},
                                    {'message_id': None}])
def test_a_notification_that_cannot_be_dated_is_refused(
        change: dict[str, Any]) -> None:
    outcome = host().take('region-1', flat(**change))
    assert outcome.samples == ()
    [refused] = outcome.refused
    assert json.loads(refused.content)['event_type'] == 'volume.create.end'


@pytest.mark.parametrize('change', [
    {'event_type': 'volume.usage', 'timestamp': None},
    {'event_type': None}, {'event_type': ['volume.exists']},
    {'payload': None}, {'priority': 'ERROR', 'timestamp': None}])
def test_what_nobody_asks_for_gives_nothing(change: dict[str, Any]) -> None:
    outcome = host().take('region-1', flat(**change))
    assert (outcome.samples, outcome.refused) == ((), ())


def test_the_same_fault_is_named_once_and_counted(
        caplog: pytest.LogCaptureFixture) -> None:
    with_it = host(broken=Broken(KeyError('size')))
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            with_it.take('region-1', flat())
    [line] = caplog.messages
    assert 'plugin=broken' in line
    assert with_it.counts['fault broken'] == 3
