# SPDX-License-Identifier: Apache-2.0
"""What a client tells a service."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moc_meter import errors
from moc_meter.client import said
from moc_meter.model import quantity
from moc_meter.model.sample import Sample

AHEAD = datetime.timezone(datetime.timedelta(hours=15))
NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)


def measured(**changes: object) -> Sample:
    return said.measured(**{
        'meter': 'mail', 'volume': 3, 'source': 's', 'resource_id': 'r',
        'timestamp': NOON, **changes})     # type: ignore[arg-type]


@given(st.decimals(-10 ** 15, 10 ** 15, places=9))
def test_a_volume_arrives_to_its_last_digit(volume: Decimal) -> None:
    sent = json.loads(said.json(said.ingested(measured(volume=volume))))
    assert Decimal(sent['counter_volume']) == volume


@pytest.mark.parametrize(('volume', 'digits'), [
    (3, '3'), (0.1, '0.1'), ('4.50', '4.5'), (Decimal('1E-9'), '0.000000001'),
    (Decimal('0.0000000005'), '0')])
def test_a_volume_is_what_its_digits_say(volume: said.Number,
                                         digits: str) -> None:
    assert quantity.text(measured(volume=volume).volume) == digits


@pytest.mark.parametrize('wrong', [
    {'volume': 'three'}, {'volume': 'NaN'}, {'volume': float('inf')},
    {'kind': 'level'}, {'timestamp': NOON.replace(tzinfo=None)},
    {'timestamp': NOON.replace(year=1, month=1, day=1, tzinfo=AHEAD)}])
def test_what_is_no_sample_is_refused_where_it_is_made(
        wrong: dict[str, object]) -> None:
    with pytest.raises(errors.InvalidSample):
        measured(**wrong)


def test_each_sample_has_an_id_of_its_own_unless_it_is_given_one() -> None:
    assert measured().message_id != measured().message_id
    assert measured(message_id='mine').message_id == 'mine'


def test_only_the_way_that_takes_ids_is_given_one() -> None:
    sample = measured(metadata={'a': {'b': [1]}})
    assert said.ingested(sample) == {
        **said.posted(sample), 'message_id': sample.message_id}
    assert said.posted(sample) == {
        'source': 's', 'counter_name': 'mail', 'counter_type': 'delta',
        'counter_unit': '', 'counter_volume': '3', 'resource_id': 'r',
        'project_id': None, 'user_id': None,
        'timestamp': '2026-03-01T12:00:00Z',
        'resource_metadata': {'a': {'b': [1]}}}


def test_an_event_counts_like_a_delta() -> None:
    assert said.posted(measured(kind='event'))['counter_type'] == 'delta'


def test_a_filter_may_hold_exact_numbers_and_instants() -> None:
    assert said.json({'>': {'volume': Decimal('0.1')}}) == (
        '{">":{"volume":0.1}}')
    assert said.json({'<': {'timestamp': NOON}}) == (
        '{"<":{"timestamp":"2026-03-01T12:00:00Z"}}')


@pytest.mark.parametrize('value', [
    object(), float('nan'), {(1, 2): 3}, Decimal('Infinity')])
def test_what_json_cannot_say_is_no_question(value: object) -> None:
    with pytest.raises(errors.InvalidQuery, match='JSON cannot say it'):
        said.json({'=': {'user': value}})
