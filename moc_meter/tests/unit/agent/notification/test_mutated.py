# SPDX-License-Identifier: Apache-2.0
"""Captured notifications that somebody broke: nothing but samples comes."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import datetime
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moc_meter import errors
from moc_meter.agent.notification import message
from moc_meter.agent.notification.base import Notification
from moc_meter.agent.notification.host import Outcome, PluginHost
from moc_meter.agent.notification.volume import VolumeMeters
from moc_meter.messaging import codec
from moc_meter.model.admission import Admission
from moc_meter.model.sample import Sample
from moc_meter.publisher import messages
from moc_meter.tests.unit.agent.notification.captured import (
    CAPTURED,
    DEFAULT,
    DEFINITIONS,
    NOON,
    flat,
    host,
)

ADMISSION = Admission(definitions=DEFINITIONS)
ALL = host(*DEFAULT)
VERSIONED = host(*DEFAULT, 'versioned')
GONE = object()
BAD = st.sampled_from([
    GONE, None, True, False, 0, -1, 10 ** 39, -10 ** 60, 0.1, 1e308, -1e308,
    float('nan'), float('inf'), '', ' ', '2048', '-7', 'NaN', '1e99',
    '1e999999999', '9' * 60, 'x' * 600, 'y' * 300_000, '\0', '\ud800',
    '2026-03-01 11:00:00', '9999-12-31T23:59:59-12:00', [], {}, [[]], [None],
    {'a': None}, {'id': 7, 'name': []}])
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (st.lists(inner, max_size=3)
                   | st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=5)


class Strange:
    """A plugin that gives a sample, whatever its fields are."""

    event_types = ('volume.exists',)

    def __init__(self, **fields: object) -> None:
        self._fields = fields

    def samples(self, notification: Notification) -> Iterator[Sample]:
        for sample in VolumeMeters().samples(notification):
            for name, value in self._fields.items():
                object.__setattr__(sample, name, value)
            yield sample


def places(value: object, *path: str | int) -> Iterator[tuple[str | int, ...]]:
    """The path of everything in a message."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, *path, key)
    if isinstance(value, list):
        for place, inner in enumerate(value):
            yield from places(inner, *path, place)


def replaced(found: Any, path: tuple[str | int, ...], by: object) -> None:
    """Put something else where the path leads, or nothing."""
    for step in path[:-1]:
        found = found[step]
    if by is GONE:
        del found[path[-1]]
    else:
        found[path[-1]] = by


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """A captured notification in which up to three places are broken."""
    found = copy.deepcopy(flat(draw(st.sampled_from(CAPTURED))))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(places(found))))
        by = draw(BAD | ANY)
        if by is not GONE:
            # Of its own: the next place may be within it.
            by = copy.deepcopy(draw(st.sampled_from(
                [by, [by], {'nested': by}])))
        replaced(found, path, by)
    if draw(st.booleans()):
        found = {'oslo.version': '2.0', 'oslo.message': json.dumps(found)}
    return json.dumps(found).encode()


def check(outcome: Outcome) -> None:
    """All of it travels, and is stored or refused for a reason."""
    for sample in outcome.samples:
        assert sample.volume.is_finite()
        with contextlib.suppress(errors.InvalidSample):
            assert ADMISSION.admit(sample, NOON).volume.is_finite()
    sent = messages.encoded(outcome.samples, outcome.refused, None)
    arrived = [codec.decode(one) for one in sent]
    assert sum(len(batch.samples) + len(batch.refused) for batch in arrived
               ) == len(outcome.samples) + len(outcome.refused)


@given(broken())
@settings(max_examples=1000, deadline=None,
          suppress_health_check=list(HealthCheck))
def test_a_broken_notification_is_sampled_or_set_aside(content: bytes
                                                       ) -> None:
    found = message.flat(content)
    for asked in (ALL, VERSIONED):
        check(asked.take('region-1', found))


@given(st.dictionaries(
    st.sampled_from([one.name for one in dataclasses.fields(Sample)]),
    BAD | ANY | st.binary() | st.decimals() | st.datetimes(
        timezones=st.none() | st.timezones()) | st.times()
    | st.sets(st.integers()) | st.builds(object)
    | st.tuples(st.datetimes(timezones=st.just(datetime.UTC)), ANY),
    min_size=1, max_size=3))
@settings(max_examples=300, deadline=None)
def test_whatever_a_plugin_gives_travels_or_is_refused(
        fields: dict[str, object]) -> None:
    asked = PluginHost({'strange': Strange(**fields)}, DEFINITIONS)
    check(asked.take('region-1', flat('cinder-volume-exists.json')))


@pytest.mark.parametrize('name', CAPTURED)
def test_whatever_one_place_holds_no_notification_breaks_its_listener(
        name: str) -> None:
    bad: list[Any] = [GONE, None, True, 'x', 1e308, float('nan'), [[]],
                      {'a': 7}, '\ud800']
    asked = VERSIONED if name.startswith('nova-versioned') else ALL
    known = list(places(flat(name)))
    # Of a hundred sensors with the same fields, some will do.
    for path in known[::1 + len(known) // 150]:
        for by in bad:
            found = flat(name)
            replaced(found, path, by)
            check(asked.take('region-1', found))


@pytest.mark.parametrize('field', ['payload', 'publisher_id', 'timestamp',
                                   'message_id', 'priority', 'event_type'])
def test_no_depth_of_nesting_breaks_the_listener(field: str) -> None:
    """Some that can just be read can just not be written any more."""
    for depth in range(20, 1100):
        found = flat('cinder-volume-exists.json')
        found[field] = 0
        nested = json.dumps(found).replace(
            f'"{field}": 0',
            f'"{field}": {{"volume_id": {"[" * depth}{"]" * depth}}}'
            if field == 'payload'
            else f'"{field}": {"[" * depth}{"]" * depth}').encode()
        with contextlib.suppress(errors.InvalidMessage):
            check(ALL.take('region-1', message.flat(nested)))
