# SPDX-License-Identifier: Apache-2.0
"""JSON of the API as frozen things."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest

from moc_meter.client import models

NEW = {'id': '1', 'meter': 'm', 'type': 'gauge', 'unit': 'GB',
       'volume': Decimal('0.1'), 'user_id': None, 'project_id': 'p',
       'resource_id': 'r', 'source': 's', 'timestamp': '2026-03-01T10:00:00',
       'recorded_at': '2026-03-01T10:00:00.000001', 'metadata': {'a': '1'}}
OLD = {'message_id': '1', 'counter_name': 'm', 'counter_type': 'gauge',
       'counter_unit': 'GB', 'counter_volume': Decimal('0.1'),
       'user_id': None, 'project_id': 'p', 'resource_id': 'r', 'source': 's',
       'timestamp': '2026-03-01T10:00:00',
       'recorded_at': '2026-03-01T10:00:00.000001',
       'resource_metadata': {'a': '1'}}


def test_instants_are_aware_and_volumes_exact() -> None:
    found = models.read(models.Sample, NEW)
    assert found.timestamp == datetime.datetime(2026, 3, 1, 10,
                                                tzinfo=datetime.UTC)
    assert found.recorded_at is not None
    assert found.recorded_at.microsecond == 1
    assert found.volume == Decimal('0.1')


def test_both_forms_of_a_sample_are_one() -> None:
    assert models.read_old(OLD) == models.read(models.Sample, NEW)


def test_what_a_newer_service_adds_is_left_out() -> None:
    assert models.read(models.Sample, {**NEW, 'colour': 'red'}) == (
        models.read(models.Sample, NEW))


@pytest.mark.parametrize('wrong', [
    {**NEW, 'timestamp': 'noon'}, {**NEW, 'volume': 'x'}, [], None,
    {name: value for name, value in NEW.items() if name != 'id'}])
def test_what_is_none_is_not_taken_for_one(wrong: object) -> None:
    with pytest.raises((KeyError, TypeError, ValueError, ArithmeticError)):
        models.read(models.Sample, wrong)


@pytest.mark.parametrize(('kind', 'value', 'typed'), [
    ('integer', '8', 8), ('float', '0.1', Decimal('0.1')),
    ('string', '8', '8'), ('datetime', '2026-03-01T10:00:00',
                           datetime.datetime(2026, 3, 1, 10,
                                             tzinfo=datetime.UTC))])
def test_a_trait_is_what_its_type_says(kind: str, value: str,
                                       typed: object) -> None:
    assert models.Trait(name='x', type=kind, value=value).typed == typed
