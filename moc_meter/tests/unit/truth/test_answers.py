# SPDX-License-Identifier: Apache-2.0
"""Lists of samples, meters and resources, and what of them is accepted."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moc_meter.tests.unit.truth.made import (
    DAY,
    SAMPLES,
    TABLE,
    ask,
    between,
    rows,
    sample,
)
from moc_meter.truth import answers, questions
from moc_meter.truth.compare import Difference
from moc_meter.truth.forms import Sample
from moc_meter.truth.report import plain


def differences(text: str, got: Any, samples: list[Sample] | None = None,
                status: int = 200) -> list[Difference]:
    [answer] = answers.answer([questions.parse(text)],
                              TABLE if samples is None else samples)
    return answer.differences(status, got)


def said(text: str, samples: list[Sample]) -> Any:
    """What a service without fault answers."""
    found = json.loads(json.dumps(plain(ask(text, samples))))
    return [_numbered(one) for one in found]


def _numbered(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: Decimal(value) if name.endswith('volume') else value
            for name, value in fields.items()}


def test_samples_are_newest_first() -> None:
    assert [row['id'] for row in rows('/v2/samples')] == [
        'm-4', 'm-3', 'm-2', 'm-1']


def test_the_limit_applies_after_ordering() -> None:
    assert [row['id'] for row in rows('/v2/samples?limit=1')] == ['m-4']


def test_a_meter_has_its_samples_under_the_old_names() -> None:
    newest = rows('/v2/meters/disk.gb?limit=1')[0]
    assert newest == {
        'message_id': 'm-4', 'counter_name': 'disk.gb', 'counter_unit': 'GB',
        'counter_type': 'gauge', 'counter_volume': 3, 'user_id': 'u2',
        'project_id': 'p1', 'resource_id': 'b', 'source': 'region-1',
        'timestamp': DAY + '13:00:00', 'resource_metadata': {}}


def test_a_sample_is_found_by_its_id() -> None:
    found = ask('/v2/samples/m-2')
    assert isinstance(found, dict)
    assert (found['id'], found['volume']) == ('m-2', 2)
    assert ask('/v2/samples/m-9') is None
    assert differences('/v2/samples/m-9', None, status=404) == []
    assert [str(one) for one in differences('/v2/samples/m-2', None,
                                            status=404)] == [
        'answer status: got 404, want 200']


def test_meters_are_by_name_and_resource() -> None:
    other = sample('09:00', 1, 9, meter='cpu', resource_id='c')
    found = rows('/v2/meters', [*TABLE, other])
    assert [(row['name'], row['resource_id'], row['user_id'])
            for row in found] == [
        ('cpu', 'c', 'u1'), ('disk.gb', 'a', 'u2'), ('disk.gb', 'b', 'u2')]
    assert found[1]['meter_id'] == 'YStkaXNrLmdi'


def test_meters_of_all_resources_are_nobodys() -> None:
    assert rows('/v2/meters?unique=True') == [{
        'name': 'disk.gb', 'type': 'gauge', 'unit': 'GB',
        'resource_id': None, 'project_id': None, 'user_id': None,
        'source': None, 'meter_id': 'Tm9uZStkaXNrLmdi'}]


def test_resources_say_what_their_newest_matching_sample_says() -> None:
    found = rows('/v2/resources?' + between(('lt', '11:00')))
    assert [(row['resource_id'], row['user_id'], row['last_sample_timestamp'])
            for row in found] == [('a', 'u1', DAY + '10:00:00')]


def test_a_resource_links_to_all_of_its_meters() -> None:
    other = sample('15:00', 1, 9, meter='cpu')
    [found, _] = rows('/v2/resources?' + between(('lt', '13:00')),
                      [*TABLE, other])
    assert found['links'] == [
        'self /v2/resources/a',
        'cpu /v2/meters/cpu?q.field=resource_id&q.value=a',
        'disk.gb /v2/meters/disk.gb?q.field=resource_id&q.value=a']


def test_links_may_be_encoded_in_any_way() -> None:
    spaced = sample('15:00', 1, 9, resource_id='a b')
    found = [{'resource_id': 'a b', 'project_id': 'p1', 'user_id': 'u1',
              'source': 'region-1', 'metadata': {},
              'first_sample_timestamp': DAY + '15:00:00',
              'last_sample_timestamp': DAY + '15:00:00', 'links': [{
                  'rel': 'self',
                  'href': 'https://elsewhere/x/v2/resources/a%20b'}]}]
    assert differences('/v2/resources?meter_links=0', found, [spaced]) == []


def test_any_of_the_samples_at_the_cut_is_accepted() -> None:
    tied = [sample('10:00', 1, number) for number in range(4)]
    newest = sample('11:00', 1, 9)
    seen = said('/v2/samples', [newest, *tied])
    for place in range(1, 5):
        assert differences('/v2/samples?limit=2', [seen[0], seen[place]],
                           [*tied, newest]) == []
    assert differences('/v2/samples?limit=2', seen[1:3], [*tied, newest])
    assert differences('/v2/samples?limit=2', seen[:3], [*tied, newest])


@given(SAMPLES, st.integers(1, 8))
def test_a_right_answer_has_no_difference(samples: list[Sample], limit: int
                                          ) -> None:
    for text in (f'/v2/samples?limit={limit}', '/v2/meters/disk.gb?limit=7'):
        assert differences(text, said(text, samples), samples) == []


@given(SAMPLES.filter(bool))
def test_the_wrong_order_is_seen(samples: list[Sample]) -> None:
    seen = said('/v2/samples', samples)[::-1]
    same = len({sample.timestamp for sample in samples}) == 1
    assert bool(differences('/v2/samples', seen, samples)) != same


@pytest.mark.parametrize(('field', 'value', 'words'), [
    ('volume', Decimal('2.5'), 'sample m-2 volume: got 2.5, want 2 (by 0.5)'),
    ('project_id', 'p2', "sample m-2 project_id: got 'p2', want 'p1'"),
    ('timestamp', DAY + '13:00:00', 'by 2:00:00'),
    ('metadata', {'a': 'b'}, "sample m-2 metadata a: got 'b', want nothing")])
def test_a_bent_sample_is_named_with_its_field(field: str, value: object,
                                               words: str) -> None:
    seen = said('/v2/samples', list(TABLE))
    seen[2][field] = value
    assert words in str(differences('/v2/samples', seen)[0])


def test_a_sample_that_is_there_twice_is_named() -> None:
    seen = said('/v2/samples', list(TABLE))
    assert "sample m-1: got '2 times', want 'once'" in map(
        str, differences('/v2/samples', [*seen, seen[-1]]))


def test_a_number_is_no_text_and_true_no_number() -> None:
    seen = said('/v2/samples', list(TABLE))
    for wrong in ('8', True, None, 8.0000000001):
        seen[3]['volume'] = wrong
        assert differences('/v2/samples', seen)
