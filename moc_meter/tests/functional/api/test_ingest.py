# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
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
    [answer] = api.post_json(URL, [body]).json
    assert answer['status'] == 'refused'
    assert field in answer['reason']


@pytest.mark.parametrize(('wrong', 'said'), [
    (5, 'An object is expected'), (None, 'An object is expected'),
    (ingested('bad', nonsense=1), 'nonsense'),
    (ingested('bad', counter_volume='NaN'), 'finite'),
    (ingested('bad', counter_unit=3), 'counter_unit'),
    (ingested('bad', timestamp='soon'), 'timestamp'),
    (ingested('bad', resource_metadata='x'), 'resource_metadata')])
def test_an_item_that_is_no_sample_is_refused_and_no_other(
        api: Any, wrong: Any, said: str) -> None:
    found = api.post_json(URL, [ingested('n-1'), wrong, ingested('n-2')]).json
    assert [one['status'] for one in found] == ['stored', 'refused', 'stored']
    assert said in found[1]['reason']
    assert found[1].get('message_id') == (
        'bad' if isinstance(wrong, dict) else None)


@pytest.mark.parametrize('project', [{'project_id': None}, {}])
def test_without_a_project_it_is_that_of_a_limited_caller(
        store: SampleStore, api: Any, project: dict[str, object]) -> None:
    def body(name: str) -> dict[str, object]:
        return {**ingested(name, project_id=None), **project}

    assert statuses(api, body('n-1'), **MEMBER) == ['stored']
    assert statuses(api, body('n-2')) == ['stored']
    found = {one.sample.message_id: one.sample
             for one in store.samples(Selection(), 9)}
    assert (found['n-1'].project_id, found['n-1'].source) == (
        'p1', 'p1:region-1')
    assert (found['n-2'].project_id, found['n-2'].source) == (
        None, 'region-1')


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
    bodies: tuple[object, ...] = ([], {}, None, 5)
    for body in bodies:
        api.post_json(URL, body, status=400)
    api.get(URL, status=405)


CLOUD_EVENT = 'application/cloudevents+json'
BATCH = 'application/cloudevents-batch+json'


def event(number: str = 'e-1', data: dict[str, object] | None = None,
          **changes: object) -> dict[str, object]:
    said = posted(**(data or {}))
    del said['timestamp'], said['resource_id']
    fields = {'specversion': '1.0', 'id': number, 'source': '/probes/7',
              'type': 'org.test.sample', 'subject': 'a', 'x-extension': 1,
              'time': '2026-03-01T11:00:00.000001+01:00',
              'datacontenttype': 'application/json',
              'data': {**said, **(data or {})}, **changes}
    return {name: value for name, value in fields.items()
            if value is not None}


def sent(api: Any, body: object, form: str = BATCH, status: int = 200
         ) -> Any:
    return api.post(URL, json.dumps(body), content_type=form,
                    status=status).json


def test_a_cloud_event_is_a_sample_that_is_kept_once(
        api: Any, store: SampleStore) -> None:
    said = event(data={'counter_volume': '9007199254740993.000000001',
                       'resource_metadata': {'a': {'b': [1, True]}}})
    [first] = sent(api, said, CLOUD_EVENT)
    [again] = sent(api, [said])
    assert (first['status'], again['status']) == ('stored', 'duplicate')
    [kept] = [one.sample for one in store.samples(Selection(), 9)]
    assert first['message_id'] == again['message_id'] == kept.message_id
    assert (kept.source, kept.resource_id, kept.volume, kept.metadata) == (
        '/probes/7', 'a', Decimal('9007199254740993.000000001'),
        {'a': {'b': [1, True]}})
    assert kept.timestamp.isoformat() == '2026-03-01T10:00:00.000001+00:00'


def test_source_and_id_together_name_an_event(api: Any) -> None:
    found = sent(api, [event('1'), event('2'), event('1', source='/other'),
                       event('1', time='2026-03-01T12:00:00Z',
                             data={'timestamp': '2026-03-01T10:00:00.000001'})
                       ])
    assert [one['status'] for one in found] == ['stored'] * 3 + ['duplicate']
    assert len({one['message_id'] for one in found}) == 3


@pytest.mark.parametrize(('wrong', 'said'), [
    (5, 'An object is expected'), ({}, 'specversion'),
    (event(id=''), 'field/attribute id'), (event(id=5), 'text is expected'),
    (event(source=None), 'source'), (event(type=None), 'type'),
    (event(specversion='0.3'), 'should be 1.0'),
    ({**event(), 'data': 'text'}, 'data'),
    ({**event(data_base64='AA=='), 'data': None}, 'data'),
    (event(datacontenttype='text/plain'), 'datacontenttype'),
    (event(time=None), 'timestamp'), (event(time='soon'), 'timestamp'),
    (event(subject=None), 'resource_id'), (event(subject=[]), 'subject'),
    (event(data={'message_id': 'x'}), 'message_id'),
    (event(data={'source': 'x'}), 'source'), (event(data={'x': 1}), 'x'),
    (event(data={'counter_volume': 'NaN'}), 'finite'),
    (event(data={'counter_type': 'gouge'}), 'counter type')])
def test_an_event_that_holds_no_sample_is_refused_and_no_other(
        api: Any, wrong: object, said: str) -> None:
    found = sent(api, [event('good'), wrong, event('fine')])
    assert [one['status'] for one in found] == ['stored', 'refused', 'stored']
    assert said in found[1]['reason']


def test_what_is_no_event_at_all_is_refused(api: Any) -> None:
    for body, form in (([], BATCH), ({}, BATCH), ([], CLOUD_EVENT),
                       (None, BATCH)):
        assert sent(api, body, form, 400)['error_message']
    assert [one['status'] for one in sent(api, {}, CLOUD_EVENT)] == [
        'refused']
