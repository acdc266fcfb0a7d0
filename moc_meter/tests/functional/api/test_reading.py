# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import base64
import dataclasses
import datetime
from decimal import Decimal
from typing import Any

import pytest

from moc_meter.model.sample import MeterKind, Sample
from moc_meter.storage.samples.base import SampleStore
from moc_meter.tests.contract.fakes import FakeStore
from moc_meter.tests.functional.api import wiring
from moc_meter.tests.functional.api.wiring import posted

TEN = datetime.datetime(2026, 3, 1, 10, tzinfo=datetime.UTC)
SAMPLE = Sample(source='region-1', message_id='m-1', timestamp=TEN,
                meter='m', kind=MeterKind.GAUGE, unit='B',
                volume=Decimal(1), resource_id='r')


def names(api: Any, url: str, name: str) -> list[Any]:
    return [item[name] for item in api.get(url).json]


def test_samples_of_agents_keep_source_and_id(every_store: SampleStore
                                              ) -> None:
    every_store.write([SAMPLE], wiring.NOW)
    api = wiring.client(every_store)
    assert api.get('/v2/samples/m-1').json == {
        'id': 'm-1', 'meter': 'm', 'type': 'gauge', 'unit': 'B',
        'volume': 1.0, 'user_id': None, 'project_id': None,
        'resource_id': 'r', 'source': 'region-1',
        'timestamp': '2026-03-01T10:00:00',
        'recorded_at': '2026-03-02T09:30:00', 'metadata': {}}


def test_an_event_is_shown_as_a_delta(store: SampleStore) -> None:
    store.write([dataclasses.replace(SAMPLE, kind=MeterKind.EVENT)],
                wiring.NOW)
    api = wiring.client(store)
    assert names(api, '/v2/samples', 'type') == ['delta']
    assert names(api, '/v2/meters', 'type') == ['delta']
    assert names(api, '/v2/meters/m', 'counter_type') == ['delta']


def test_a_meter_of_events_and_deltas_is_one(every_store: SampleStore
                                             ) -> None:
    for number, kind in enumerate((MeterKind.EVENT, MeterKind.DELTA)):
        every_store.write([dataclasses.replace(
            SAMPLE, kind=kind, message_id=f'{number:032x}')], wiring.NOW)
    api = wiring.client(every_store)
    for path in ('/v2/meters', '/v2/meters?unique=True', '/v2/meters?limit=1'):
        answer = api.get(path)
        assert [one['type'] for one in answer.json] == ['delta']
        assert 'Link' not in answer.headers
    assert len(api.get('/v1/meters').json['meters']) == 1


def test_metadata_is_flattened_to_text(store: SampleStore) -> None:
    store.write([dataclasses.replace(SAMPLE, metadata={
        'properties': {'p': {'q': 1}}, 'net': {'if.$0': {'$mtu': 1500}},
        'on': True, 'none': None, 'half': 0.5, 'tags': ['a', 'b'],
    })], wiring.NOW)
    api = wiring.client(store)
    shown = {'properties.p:q': '1', 'net.if:$0:$mtu': '1500', 'on': 'True',
             'none': 'None', 'half': '0.5', 'tags': "['a', 'b']"}
    assert names(api, '/v2/samples', 'metadata') == [shown]
    assert names(api, '/v2/meters/m', 'resource_metadata') == [shown]
    assert names(api, '/v2/resources', 'metadata') == [shown]


@pytest.mark.parametrize(('rule', 'found'), [
    ('metadata.size&q.value=1', True), ('metadata.size&q.value=1.0', True),
    ('metadata.size&q.value=1&q.type=string', False),
    ('metadata.size&q.value=1&q.type=integer', True),
    ('metadata.label&q.value=1', True),
    ('metadata.label&q.value=1&q.type=integer', False),
    ('resource_metadata.on&q.value=True', True),
    ('metadata.on&q.value=yes&q.type=boolean', True),
    ('metadata.on&q.value=1', False), ('metadata.on&q.value=true', False),
    ('metadata.disk.kind&q.value=ssd', True),
    ("metadata.disk.kind&q.value='ssd'", True),
    ('metadata.tags[1]&q.value=b', True),
    ('metadata.hw.rom.$boot&q.value=x', True),
    ('metadata.absent&q.value=None', False),
])
def test_metadata_rules_compare_by_type(
        store: SampleStore, rule: str, found: bool) -> None:
    store.write([dataclasses.replace(SAMPLE, metadata={
        'size': 1, 'label': '1', 'on': True, 'disk': {'kind': 'ssd'},
        'tags': ['a', 'b'], 'hw.rom': {'$boot': 'x'}})], wiring.NOW)
    api = wiring.client(store)
    for url in ('/v2/samples', '/v2/meters', '/v2/resources',
                '/v2/meters/m/statistics'):
        assert bool(api.get(f'{url}?q.field={rule}').json) == found


def test_samples_are_newest_first_and_equal_ones_as_recorded(api: Any
                                                             ) -> None:
    wiring.keep(api, [posted(resource_id='z'), posted(resource_id='a'),
                      posted(resource_id='n',
                             timestamp='2026-03-01T10:00:00.000001')])
    assert names(api, '/v2/samples', 'resource_id') == ['n', 'z', 'a']
    assert names(api, '/v2/meters/disk.gb', 'resource_id') == ['n', 'z', 'a']


def test_a_limit_applies_after_ordering(api: Any) -> None:
    wiring.keep(api, [posted(resource_id=name, counter_volume=place)
                      for place, name in enumerate('dbca')])
    assert names(api, '/v2/meters?limit=2', 'resource_id') == ['a', 'b']
    assert names(api, '/v2/resources?limit=3', 'resource_id') == [
        'a', 'b', 'c']
    assert names(api, '/v2/samples?limit=1', 'resource_id') == ['d']
    assert names(api, f'/v2/samples?limit={10 ** 30}', 'resource_id') == (
        list('dbca'))


def test_without_a_limit_the_default_counts(store: SampleStore) -> None:
    api = wiring.client(store, default_limit=2)
    wiring.keep(api, [posted(resource_id=name) for name in 'abc'])
    for url in ('/v2/meters', '/v2/resources', '/v2/samples',
                '/v2/meters/disk.gb'):
        assert len(api.get(url).json) == 2
        assert len(api.get(f'{url}?limit=3').json) == 3


def test_unique_meters_belong_to_nobody(api: Any) -> None:
    wiring.keep(api, [posted(), posted(resource_id='b'),
                      posted(counter_unit='GiB')])
    found = api.get('/v2/meters?unique=yes').json
    assert [(one['name'], one['unit']) for one in found] == [
        ('disk.gb', 'GB'), ('disk.gb', 'GiB')]
    for one in found:
        assert one['resource_id'] is one['project_id'] is None
        assert one['user_id'] is one['source'] is None
        assert base64.b64decode(one['meter_id']) == b'None+disk.gb'
    assert len(api.get('/v2/meters?unique=perhaps').json) == 3


def test_a_meter_is_identified_by_resource_and_name_on_one_line(
        api: Any) -> None:
    resource = 'ö' * 100
    wiring.keep(api, [posted(resource_id=resource)])
    [found] = names(api, '/v2/meters', 'meter_id')
    assert base64.b64decode(found).decode() == f'{resource}+disk.gb'
    assert '\n' not in found


def test_links_lead_to_the_resource_and_its_meters(api: Any) -> None:
    wiring.keep(api, [posted(counter_name='größe', resource_id='a/b c'),
                      posted(resource_id='a/b c')])
    [resource] = api.get('/v2/resources').json
    here, *meters = resource['links']
    assert here == {'rel': 'self',
                    'href': 'http://localhost/v2/resources/a%2Fb%20c'}
    assert [link['rel'] for link in meters] == ['disk.gb', 'größe']
    assert meters[1]['href'] == (
        'http://localhost/v2/meters/gr%C3%B6%C3%9Fe'
        '?q.field=resource_id&q.value=a%2Fb%20c')
    assert api.get(here['href']).json == resource
    for link in meters:
        assert names(api, link['href'], 'resource_id') == ['a/b c']


@pytest.mark.parametrize(('wanted', 'count'), [('0', 1), ('1', 2), ('7', 2)])
def test_links_to_meters_may_be_left_out(api: Any, wanted: str, count: int
                                         ) -> None:
    wiring.keep(api, [posted()])
    [links] = names(api, f'/v2/resources?meter_links={wanted}', 'links')
    assert len(links) == count
    api.get('/v2/resources?meter_links=no', status=400)


def test_links_are_built_from_the_url_of_the_request(api: Any) -> None:
    wiring.keep(api, [posted()])
    environ = {'SCRIPT_NAME': '/telemetry', 'HTTP_HOST': 'cloud.example:8777',
               'wsgi.url_scheme': 'https'}
    [resource] = api.get('/v2/resources', extra_environ=environ).json
    assert resource['links'][0]['href'] == (
        'https://cloud.example:8777/telemetry/v2/resources/a')
    versions = api.get('/', extra_environ=environ).json['versions']
    assert versions['values'][0]['links'][0]['href'] == (
        'https://cloud.example:8777/telemetry/v2')


@pytest.mark.parametrize('spelled', ['a%2Fb', 'a%252Fb', 'a/b', 'a%2Fb/'])
def test_a_resource_id_may_hold_slashes(api: Any, spelled: str) -> None:
    wiring.keep(api, [posted(resource_id='a/b')])
    found = api.get(f'/v2/resources/{spelled}').json
    assert found['resource_id'] == 'a/b'


def test_an_id_that_looks_encoded_is_itself_first(api: Any) -> None:
    wiring.keep(api, [posted(resource_id='a%2Fb'), posted(resource_id='a/b')])
    assert api.get('/v2/resources/a%252Fb').json['resource_id'] == 'a%2Fb'


def test_the_range_of_a_resource_is_that_of_the_selected_samples(
        api: Any) -> None:
    wiring.keep(api, wiring.table())
    [found] = api.get(
        '/v2/resources?q.field=timestamp&q.op=gt'
        '&q.value=2026-03-01T12:00').json
    assert found['resource_id'] == 'b'
    assert found['first_sample_timestamp'] == '2026-03-01T13:00:00'
    assert found['last_sample_timestamp'] == '2026-03-01T13:00:00'


def test_the_newest_selected_sample_describes_a_meter(api: Any) -> None:
    wiring.keep(api, wiring.table())
    [found] = api.get('/v2/meters?q.field=user&q.value=u1').json
    assert (found['resource_id'], found['user_id']) == ('a', 'u1')


@pytest.mark.parametrize('url', [
    '/v2/samples', '/v2/meters', '/v2/resources', '/v2/meters/m',
    '/v2/meters/m/statistics', '/v2/samples/x', '/v2/resources/x'])
def test_while_the_store_is_away_the_answer_says_so(url: str) -> None:
    store = FakeStore()
    store.away = True
    answer = wiring.client(store).get(url, status=503)
    assert wiring.complaint(answer) == 'the store is away'
    assert 'Retry-After' in answer.headers


@pytest.mark.parametrize('url', [
    '/v2/meters/a%00b', '/v2/samples/a%00b', '/v2/resources/a%00b',
    '/v2/resources/a%2500b', '/v2/meters/a%00b/statistics'])
def test_a_nul_in_a_path_is_refused(api: Any, url: str) -> None:
    assert 'NUL' in wiring.complaint(api.get(url, status=400))
