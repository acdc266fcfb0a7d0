# SPDX-License-Identifier: Apache-2.0
"""Captured notifications, and the samples that they must give."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest

from moc_meter.agent.notification import message
from moc_meter.model.sample import Sample
from moc_meter.tests.unit.agent.notification.captured import (
    CAPTURED,
    DEFAULT,
    DEFINITIONS,
    PROFILES,
    expected,
    flat,
    taken,
    user_metadata,
)


def spelled(sample: Sample) -> tuple[object, ...]:
    return (sample.meter, sample.kind.value, sample.unit, sample.resource_id,
            sample.project_id, sample.user_id, sample.timestamp)


def wanted(given: Mapping[str, Any]) -> tuple[object, ...]:
    return (given['name'], given['type'], given['unit'],
            given['resource_id'], given['project_id'], given['user_id'],
            message.instant(given['timestamp']))


def by_name(spelling: tuple[object, ...]) -> tuple[str, str]:
    return str(spelling[0]), str(spelling[3])


def test_all_93_captured_notifications_are_here() -> None:
    assert len(CAPTURED) == 93


@pytest.mark.parametrize('profiles', PROFILES, ids='+'.join)
@pytest.mark.parametrize('name', CAPTURED)
def test_a_captured_notification_gives_its_samples(
        name: str, profiles: tuple[str, ...]) -> None:
    samples = sorted(taken(name, *profiles).samples,
                     key=lambda sample: by_name(spelled(sample)))
    given = sorted(expected(name, *profiles),
                   key=lambda one: by_name(wanted(one)))
    assert [spelled(one) for one in samples] == [wanted(one) for one in given]
    for sample, one in zip(samples, given, strict=True):
        assert math.isclose(sample.volume, one['volume'], rel_tol=1e-9)


@pytest.mark.parametrize('profiles', PROFILES, ids='+'.join)
@pytest.mark.parametrize('name', CAPTURED)
def test_no_captured_notification_is_refused(
        name: str, profiles: tuple[str, ...]) -> None:
    assert taken(name, *profiles).refused == ()


@pytest.mark.parametrize('name', [*filter(user_metadata, CAPTURED)])
def test_what_an_owner_said_is_with_every_sample(name: str) -> None:
    samples = taken(name, *DEFAULT).samples
    assert samples
    for sample in samples:
        assert sample.metadata['user_metadata'] == user_metadata(name)


@pytest.mark.parametrize('profiles', [DEFAULT, ('versioned',)], ids='+'.join)
@pytest.mark.parametrize('name', CAPTURED)
def test_samples_are_as_their_meters_are_defined(
        name: str, profiles: tuple[str, ...]) -> None:
    for sample in taken(name, *profiles).samples:
        defined = DEFINITIONS.find(sample.meter)
        assert defined is not None
        assert (sample.kind, sample.unit) == (defined.kind, defined.unit)


@pytest.mark.parametrize('profiles', [DEFAULT, ('versioned',)], ids='+'.join)
@pytest.mark.parametrize('name', CAPTURED)
def test_a_second_delivery_makes_the_same_samples(
        name: str, profiles: tuple[str, ...]) -> None:
    first, second = (taken(name, *profiles) for _ in range(2))
    assert first == second
    keys = [sample.key for sample in first.samples]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize('profiles', [DEFAULT, ('versioned',)], ids='+'.join)
@pytest.mark.parametrize('name', CAPTURED)
def test_samples_say_which_event_they_are_of_and_who_sent_it(
        name: str, profiles: tuple[str, ...]) -> None:
    for sample in taken(name, *profiles).samples:
        assert sample.metadata['event_type'] == flat(name)['event_type']
        assert sample.metadata['host'] == flat(name)['publisher_id']
