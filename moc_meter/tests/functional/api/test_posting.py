# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import dataclasses
import datetime
import json
import threading
from decimal import Decimal
from typing import Any

import pytest

from moc_meter.model.query import RetentionLevel, Selection
from moc_meter.storage.samples.base import SampleStore
from moc_meter.tests.contract.fakes import FakeStore
from moc_meter.tests.functional.api import wiring
from moc_meter.tests.functional.api.wiring import Outbox, posted

URL = '/v2/meters/disk.gb'
DIRECT = f'{URL}?direct=True'


def kept(store: SampleStore) -> list[Any]:
    return [stored.sample for stored in store.samples(Selection(), 10_000)]


def test_what_is_taken_is_echoed_with_what_the_server_added(api: Any) -> None:
    [echo] = api.post_json(DIRECT, [posted(
        resource_metadata={'a.b': 'x', 'c': 'y'}, counter_volume='4.5',
        timestamp='2026-03-01T12:30:00.25+02:00')], status=201).json
    message_id = echo.pop('message_id')
    assert len(message_id) == 32
    assert echo == {
        'source': 'p1:openstack', 'counter_name': 'disk.gb',
        'counter_type': 'gauge', 'counter_unit': 'GB', 'counter_volume': 4.5,
        'user_id': 'u1', 'project_id': 'p1', 'resource_id': 'a',
        'timestamp': '2026-03-01T10:30:00.250000',
        'resource_metadata': {'a.b': 'x', 'c': 'y'}}
    assert api.get(f'/v2/samples/{message_id}').json['volume'] == 4.5


def test_recorded_at_is_echoed_where_it_was_sent(api: Any) -> None:
    [echo] = api.post_json(URL, [posted(recorded_at='2001-01-01')]).json
    assert echo['recorded_at'] == '2001-01-01T00:00:00'


def test_dotted_keys_are_nested_on_storage(api: Any, store: SampleStore
                                           ) -> None:
    api.post_json(DIRECT, [posted(resource_metadata={'a.b': 'x'})])
    [sample] = kept(store)
    assert sample.metadata == {'a': {'b': 'x'}}


def test_a_null_in_metadata_is_kept_as_such(api: Any) -> None:
    api.post_json(DIRECT, [posted(resource_metadata={'kernel': None})])
    [found] = api.get(URL).json
    assert found['resource_metadata'] == {'kernel': 'None'}


@pytest.mark.parametrize('metadata', ['null', '{}'])
def test_metadata_that_is_null_is_empty(api: Any, metadata: str) -> None:
    body = json.dumps([posted(resource_metadata='?')]).replace('"?"',
                                                               metadata)
    [echo] = api.post(DIRECT, body, content_type='application/json').json
    assert echo['resource_metadata'] == {}


@pytest.mark.parametrize(('written', 'exact'), [
    ('0.1', '0.1'), ('"0.1"', '0.1'), ('9007199254740993', '9007199254740993'),
    ('"9007199254740993.000000001"', '9007199254740993.000000001'),
    ('1e-9', '0.000000001'), ('-0.0', '0'), ('1E+3', '1000'), ('" 7 "', '7'),
])
def test_a_volume_is_the_decimal_that_was_written(
        api: Any, store: SampleStore, written: str, exact: str) -> None:
    body = json.dumps([posted(counter_volume='?')]).replace('"?"', written)
    api.post(DIRECT, body, content_type='application/json')
    [sample] = kept(store)
    assert sample.volume == Decimal(exact)


def test_without_a_timestamp_it_is_now(api: Any) -> None:
    for sample in (posted(timestamp=None), {**posted(), 'timestamp': None}):
        [echo] = api.post_json(URL, [sample]).json
        assert echo['timestamp'] == '2026-03-02T09:30:00'


def test_user_project_and_source_default_to_the_callers(api: Any) -> None:
    sample = {**posted(user_id=None, project_id=''), 'source': None}
    [echo] = api.post_json(URL, [sample], headers=wiring.MEMBER).json
    assert (echo['user_id'], echo['project_id'], echo['source']) == (
        'u1', 'p1', 'p1:openstack')


def test_a_source_is_prefixed_with_the_project(store: SampleStore) -> None:
    api = wiring.client(store, sample_source='region-1')
    echoes = api.post_json(URL, [
        posted(source='mine'), posted(), posted(project_id=None)]).json
    assert [echo['source'] for echo in echoes] == [
        'p1:mine', 'p1:region-1', 'region-1']


def test_indirectly_a_sample_goes_to_the_bus_and_is_not_readable_yet(
        api: Any, outbox: Outbox) -> None:
    [echo] = api.post_json(URL, [posted(counter_volume='0.1')]).json
    [sample] = outbox.samples
    assert (sample.message_id, sample.volume) == (echo['message_id'],
                                                  Decimal('0.1'))
    assert api.get(URL).json == []


def test_directly_a_sample_is_stored_before_the_answer(
        api: Any, outbox: Outbox) -> None:
    [echo] = api.post_json(DIRECT, [posted()]).json
    [found] = api.get(URL).json
    assert outbox.messages == []
    assert found == {**echo, 'recorded_at': '2026-03-02T09:30:00'}


def test_many_samples_travel_in_messages_of_a_hundred(
        api: Any, outbox: Outbox) -> None:
    api.post_json(URL, [posted(resource_id=str(place))
                        for place in range(250)])
    assert len(outbox.messages) == 3
    assert len(outbox.samples) == 250


def test_a_repeated_request_stores_nothing_twice(api: Any, store: SampleStore
                                                 ) -> None:
    samples = [posted(), posted(counter_volume=9), posted()]
    first = api.post_json(DIRECT, samples).json
    assert api.post_json(DIRECT, samples).json == first
    assert len(kept(store)) == 3


def test_equal_samples_of_one_request_are_all_kept(
        api: Any, store: SampleStore) -> None:
    echoes = api.post_json(DIRECT, [posted(), posted(counter_volume='8.0')]
                           ).json
    assert len({echo['message_id'] for echo in echoes}) == 2
    assert len(kept(store)) == 2


def test_directly_and_by_the_bus_a_sample_has_the_same_id(api: Any) -> None:
    assert api.post_json(URL, [posted()]).json == (
        api.post_json(DIRECT, [posted()]).json)


def test_directly_a_sample_that_cannot_stay_refuses_the_whole_request(
        every_store: SampleStore) -> None:
    api = wiring.client(every_store)
    api.post_json(DIRECT, [posted(timestamp='2026-01-01')])
    every_store.expire(
        RetentionLevel.SAMPLES,
        datetime.datetime(2026, 2, 1, tzinfo=datetime.UTC), wiring.NOW,
        'test', threading.Event())
    answer = api.post_json(DIRECT, [posted(), posted(
        timestamp='2026-01-31T23:59:59')], status=400)
    assert 'have been dropped' in wiring.complaint(answer)
    assert kept(every_store) == []


def test_directly_a_sample_in_conflict_refuses_the_whole_request(
        api: Any, store: SampleStore, outbox: Outbox) -> None:
    api.post_json(URL, [posted()])
    [sample] = outbox.samples
    other = dataclasses.replace(sample, volume=Decimal(9))
    store.write([other], wiring.NOW)
    answer = api.post_json(DIRECT, [posted(resource_id='b'), posted()],
                           status=400)
    assert 'same identity' in wiring.complaint(answer)
    assert kept(store) == [other]


@pytest.mark.parametrize('url', [URL, DIRECT])
def test_one_bad_sample_refuses_the_whole_request(
        api: Any, store: SampleStore, outbox: Outbox, url: str) -> None:
    api.post_json(url, [posted(), posted(resource_id='')], status=400)
    assert (kept(store), outbox.messages) == ([], [])


def test_without_the_bus_nothing_is_taken(api: Any, outbox: Outbox) -> None:
    outbox.away = True
    answer = api.post_json(URL, [posted()], status=503)
    assert wiring.complaint(answer) == 'the bus is away'
    assert int(answer.headers['Retry-After']) > 0


def test_without_the_store_nothing_is_taken_directly() -> None:
    store = FakeStore()
    store.away = True
    answer = wiring.client(store).post_json(DIRECT, [posted()], status=503)
    assert wiring.complaint(answer) == 'the store is away'
    assert int(answer.headers['Retry-After']) > 0


@pytest.mark.parametrize('url', [URL, '/v2/ingest'])
def test_a_name_that_is_there_twice_is_refused(api: Any, url: str) -> None:
    body = json.dumps([posted()]).replace(
        '"counter_volume": 8', '"counter_volume": 8, "counter_volume": 9')
    answer = api.post(url, body, content_type='application/json', status=400)
    assert 'counter_volume' in wiring.complaint(answer)


@pytest.mark.parametrize(('within', 'added'), [
    ('<item>', '<nonsense>1</nonsense>'), ('<samples>', '<sample />'),
    ('<resource_id>', '<b>x</b>'),
    ('<resource_metadata>', '<size>1</size>'),
    ('<resource_metadata><item>', '<kind>1</kind>')])
def test_in_xml_no_element_is_left_unread(api: Any, within: str, added: str
                                          ) -> None:
    fields = ''.join(f'<{name}>{value}</{name}>'
                     for name, value in posted().items())
    body = ('<samples><item>' + fields + '<resource_metadata><item>'
            '<key>a</key><value>x</value></item></resource_metadata>'
            '</item></samples>')
    assert body.count(within) in (1, 2)
    for url in (URL, DIRECT):
        answer = api.post(url, body.replace(within, within + added, 1),
                          content_type='application/xml', status=400)
        assert 'Unknown argument' in wiring.complaint(answer)


def test_samples_are_taken_in_xml(api: Any, store: SampleStore) -> None:
    fields = ''.join(f'<{name}>{value}</{name}>'
                     for name, value in posted(counter_volume='0.1').items())
    body = ('<samples><item>' + fields + '<resource_metadata><item>'
            '<key>a.b</key><value>x</value></item></resource_metadata>'
            '</item></samples>')
    answer = api.post(DIRECT, body, content_type='application/xml',
                      headers={'Accept': 'application/xml'}, status=201)
    assert answer.xml.find('item/counter_volume').text == '0.1'
    [sample] = kept(store)
    assert (sample.volume, sample.metadata) == (Decimal('0.1'),
                                                {'a': {'b': 'x'}})
