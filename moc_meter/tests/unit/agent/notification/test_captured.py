# SPDX-License-Identifier: Apache-2.0
"""Captured notifications, and the samples that they must give."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from moc_meter import plugins
from moc_meter.agent.notification import message
from moc_meter.agent.notification.host import Outcome, PluginHost
from moc_meter.model import meter
from moc_meter.model.sample import Sample

_DATA = Path(__file__).parents[3] / 'data' / 'notifications'
_SERVICES = ('nova', 'cinder', 'glance', 'neutron', 'wire')
_DEFINITIONS = meter.load()
CAPTURED = sorted(path.name for path in (_DATA / 'messages').glob('*.json'))
OURS = [name for name in CAPTURED if name.startswith(_SERVICES)]


def host(*profiles: str) -> PluginHost:
    found = plugins.load('moc_meter.notification')
    return PluginHost({name: plugin() for name, plugin in found.items()},
                      _DEFINITIONS, profiles)


def taken(name: str, *profiles: str) -> Outcome:
    content = (_DATA / 'messages' / name).read_bytes()
    return host(*profiles).take('region-1', message.flat(content))


def expected(name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(
        (_DATA / 'expected' / name).read_text('utf-8'))
    return found


def spelled(sample: Sample) -> tuple[object, ...]:
    return (sample.meter, sample.kind.value, sample.unit, sample.resource_id,
            sample.project_id, sample.user_id, sample.timestamp)


def wanted(given: Mapping[str, Any]) -> tuple[object, ...]:
    return (given['name'], given['type'], given['unit'],
            given['resource_id'], given['project_id'], given['user_id'],
            message.instant(given['timestamp']))


def by_name(spelling: tuple[object, ...]) -> tuple[str, str]:
    return str(spelling[0]), str(spelling[3])


@pytest.mark.parametrize('profiles', [('metric',), ('existence',),
                                      ('metric', 'existence')],
                         ids='+'.join)
@pytest.mark.parametrize('name', OURS)
def test_a_captured_notification_gives_its_samples(
        name: str, profiles: tuple[str, ...]) -> None:
    samples = sorted(taken(name, *profiles).samples,
                     key=lambda sample: by_name(spelled(sample)))
    given = sorted((one for one in expected(name)['expected']
                    if one['profile'] in profiles),
                   key=lambda one: by_name(wanted(one)))
    assert [spelled(one) for one in samples] == [wanted(one) for one in given]
    for sample, one in zip(samples, given, strict=True):
        assert math.isclose(sample.volume, one['volume'], rel_tol=1e-9)


@pytest.mark.parametrize('name', CAPTURED)
def test_no_captured_notification_is_refused(name: str) -> None:
    assert taken(name, 'metric', 'existence').refused == ()


@pytest.mark.parametrize('name', [
    name for name in OURS if 'user_metadata' in expected(name)])
def test_what_an_owner_said_is_with_every_sample(name: str) -> None:
    for sample in taken(name, 'metric', 'existence').samples:
        assert (sample.metadata['user_metadata']
                == expected(name)['user_metadata'])


@pytest.mark.parametrize('name', OURS)
def test_samples_are_as_their_meters_are_defined(name: str) -> None:
    for sample in taken(name, 'metric', 'existence').samples:
        defined = _DEFINITIONS.find(sample.meter)
        assert defined is not None
        assert (sample.kind, sample.unit) == (defined.kind, defined.unit)


@pytest.mark.parametrize('name', OURS)
def test_a_second_delivery_makes_the_same_samples(name: str) -> None:
    first, second = (taken(name, 'metric', 'existence') for _ in range(2))
    assert first == second
    keys = [sample.key for sample in first.samples]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize('name', OURS)
def test_samples_say_which_event_they_are_of_and_who_sent_it(name: str
                                                             ) -> None:
    flat = message.flat((_DATA / 'messages' / name).read_bytes())
    for sample in taken(name, 'metric', 'existence').samples:
        assert sample.metadata['event_type'] == flat['event_type']
        assert sample.metadata['host'] == flat['publisher_id']
