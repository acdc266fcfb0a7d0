# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from moc_meter.model.query import Selection
from moc_meter.storage.samples.base import SampleStore
from moc_meter.tests.functional.api.wiring import MEMBER, posted

URL = '/v2/ingest'


def ingested(message_id: str = 'n-1', **changes: object) -> dict[str, object]:
    return posted(message_id=message_id, **{'source': 'region-1', **changes})


def statuses(api: Any, *samples: dict[str, object], **headers: str
             ) -> list[str]:
    answers = api.post_json(URL, list(samples), headers=headers).json
    return [answer['status'] for answer in answers]


def test_a_batch_of_mixed_meters_is_stored_as_it_was_said(
        api: Any, store: SampleStore) -> None:
    assert statuses(
        api, ingested('n-1', counter_volume='0.000000001',
                      resource_metadata={'a': {'b': [1, True, 0.5]}}),
        ingested('n-2', counter_name='vcpus')) == ['stored'] * 2
    vcpus, disk = sorted(
        (kept.sample for kept in store.samples(Selection(), 10)),
        key=lambda sample: sample.meter, reverse=True)
    assert (vcpus.message_id, vcpus.source) == ('n-2', 'region-1')
    assert disk.volume == Decimal('0.000000001')
    assert disk.metadata == {'a': {'b': [1, True, 0.5]}}


def test_each_sample_has_its_own_answer(api: Any) -> None:
    assert statuses(api, ingested('n-1')) == ['stored']
    assert statuses(
        api, ingested('n-1'), ingested('n-1', counter_volume=9),
        ingested('n-2', resource_id='a\0b'), ingested('n-3'),
        ingested('n-3')) == ['duplicate', 'conflict', 'refused', 'stored',
                             'duplicate']


def test_a_refused_sample_is_told_why(api: Any) -> None:
    [answer] = api.post_json(URL, [ingested(counter_type='gouge')]).json
    assert answer['message_id'] == 'n-1'
    assert "counter_type='gouge'" in answer['reason']


MANDATORY = pytest.mark.parametrize('field', [
    'message_id', 'source', 'counter_name', 'counter_type', 'counter_unit',
    'counter_volume', 'resource_id', 'timestamp'])


@MANDATORY
def test_nothing_that_identifies_a_sample_is_guessed(api: Any, field: str
                                                     ) -> None:
    body = ingested()
    del body[field]
    refusal = api.post_json(URL, [body], status=400).json
    assert field in refusal['error_message']['faultstring']


@MANDATORY
def test_a_null_refuses_its_sample_and_no_other(api: Any, field: str) -> None:
    null = {**ingested('n-1', project_id='p1'), field: None}
    answers = api.post_json(URL, [null, ingested('n-2', project_id='p1')],
                            headers=MEMBER).json
    assert [one['status'] for one in answers] == ['refused', 'stored']
    assert field in answers[0]['reason']


def test_a_member_posts_for_the_own_project_and_a_source_of_its_own(
        api: Any, store: SampleStore) -> None:
    assert statuses(api, ingested('n-1'), ingested('n-2', project_id='p2'),
                    **MEMBER) == ['stored', 'refused']
    [kept] = store.samples(Selection(), 10)
    assert kept.sample.source == 'p1:region-1'


def test_nothing_to_store_is_refused(api: Any) -> None:
    api.post_json(URL, [], status=400)
    api.get(URL, status=405)
