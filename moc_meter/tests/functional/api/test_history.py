# SPDX-License-Identifier: Apache-2.0
"""What was said of a resource, then and in between."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from moc_meter.model import period
from moc_meter.model.query import Field, ResourceState, Selection
from moc_meter.model.sample import Sample
from moc_meter.storage.samples.base import SampleStore
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.tests.contract.fakes import FakeStore
from moc_meter.tests.functional.api import wiring
from moc_meter.tests.functional.storage import maker
from moc_meter.tests.stores import NOW, expire, migrated

URL = '/v2/resources/a%2Fb'
#: Day of March, project, metadata; some say nothing new.
SAID = ((1, 'p1', 'small'), (2, 'p1', 'small'), (3, 'p1', 'large'),
        (5, 'p2', 'large'), (6, 'p1', 'small'), (9, 'p1', 'small'))


@pytest.fixture
def kept(every_store: SampleStore) -> Any:
    api = wiring.client(every_store)
    api.post_json('/v2/ingest', [wiring.posted(
        message_id=f'm-{day}', source='s', resource_id='a/b',
        counter_name=f'meter-{day % 2}', project_id=project,
        timestamp=f'2026-02-{day:02}T10:00',
        resource_metadata={'flavor': {'name': flavor}})
        for day, project, flavor in SAID])
    return api


def told(answer: Any) -> list[tuple[Any, ...]]:
    return [(one['valid_from'][8:10], (one['valid_until'] or '')[8:10],
             one['project_id'], one['metadata']['flavor.name'])
            for one in answer.json]


def test_a_resource_has_a_history(kept: Any) -> None:
    answer = kept.get(f'{URL}/history')
    assert told(answer) == [
        ('01', '03', 'p1', 'small'), ('03', '05', 'p1', 'large'),
        ('05', '06', 'p2', 'large'), ('06', '', 'p1', 'small')]
    assert answer.json[0] == {
        'resource_id': 'a/b', 'project_id': 'p1', 'user_id': 'u1',
        'source': 's', 'metadata': {'flavor.name': 'small'},
        'valid_from': '2026-02-01T10:00:00',
        'valid_until': '2026-02-03T10:00:00'}
    assert kept.get('/v2/resources/a%252Fb/history').json == answer.json


def test_a_history_is_paged(kept: Any) -> None:
    whole = told(kept.get(f'{URL}/history'))
    found, url = [], f'{URL}/history?limit=1'
    while url:
        answer = kept.get(url)
        found += told(answer)
        url = answer.headers.get('Link', '').partition('>')[0][1:]
    assert found == whole


def test_a_history_is_as_far_as_the_caller_may_see(kept: Any) -> None:
    assert told(kept.get(f'{URL}/history', headers=wiring.MEMBER)) == [
        ('01', '03', 'p1', 'small'), ('03', '06', 'p1', 'large'),
        ('06', '', 'p1', 'small')]
    stranger = {**wiring.MEMBER, 'X-Project-Id': 'p3'}
    for path in ('', '/history', '?at=2026-02-05'):
        answer = kept.get(URL + path, headers=stranger, status=404)
        assert 'Not Found' in wiring.complaint(answer)


@pytest.mark.parametrize(('at', 'project', 'flavor', 'last'), [
    ('2026-02-01T10:00', 'p1', 'small', '01'), ('2026-02-04', 'p1', 'large',
                                                '03'),
    ('2026-02-05T10:00', 'p2', 'large', '05'),
    ('2026-02-06T09:59:59.999999', 'p2', 'large', '05'),
    ('2026-02-06T11:00%2B01:00', 'p1', 'small', '06'),
    ('9999-12-31T23:59:59.999999', 'p1', 'small', '09')])
def test_a_resource_is_as_it_was_said_to_be_then(
        api: Any, store: SampleStore, at: str, project: str, flavor: str,
        last: str) -> None:
    del store
    api.post_json('/v2/ingest', [wiring.posted(
        message_id=f'm-{day}', source='s', resource_id='a/b',
        project_id=owner, timestamp=f'2026-02-{day:02}T10:00',
        resource_metadata={'flavor': {'name': said}})
        for day, owner, said in SAID])
    found = api.get(f'{URL}?at={at}').json
    assert (found['project_id'], found['metadata'],
            found['last_sample_timestamp'][8:10]) == (
        project, {'flavor.name': flavor}, last)


def test_before_its_first_report_a_resource_was_not_there(kept: Any) -> None:
    kept.get(f'{URL}?at=2026-02-01T09:59:59', status=404)
    for wrong in ('soon', '', '5'):
        answer = kept.get(f'{URL}?at={wrong}', status=400)
        assert 'invalid timestamp format' in wiring.complaint(answer)
    kept.get(f'{URL}?at=2026-02-01&at=2026-02-02', status=400)


def test_states_are_the_same_as_one_by_one(database_url: str) -> None:
    with migrated(database_url) as engine:
        store = SqlSampleStore(engine)

        @settings(deadline=None, max_examples=(
            60 if engine.dialect.name == 'sqlite' else 20),
            suppress_health_check=[HealthCheck.too_slow])
        @given(maker.batches(), maker.selections(ids=False))
        def compare(batches: list[list[Sample]],
                    selection: Selection) -> None:
            chosen = dataclasses.replace(
                selection, metadata=(),
                series=((Field.RESOURCE, 'a'), *selection.series))
            with maker.holding(engine, batches) as stored:
                assert store.history(chosen, 5) == _states(
                    [one.sample for one in stored], chosen)[:5]

        compare()


def _states(samples: list[Sample],
            selection: Selection) -> list[ResourceState]:
    """Whoever is newest at an instant counts there."""
    instants = sorted({one.timestamp for one in filter(
        maker.selected(selection), samples)})
    states: list[ResourceState] = []
    for instant in instants:
        [said] = maker.resources(samples, dataclasses.replace(
            selection, start=instant, end=instant + period.MICROSECOND))
        state = ResourceState(
            since=instant, until=None, source=said.source,
            project_id=said.project_id, user_id=said.user_id,
            metadata=said.metadata)
        if not states or dataclasses.replace(
                states[-1], since=instant) != state:
            states[-1:] = [dataclasses.replace(one, until=instant)
                           for one in states[-1:]]
            states.append(state)
    return states


def test_a_history_begins_where_samples_are_kept(sqlite_url: str) -> None:
    with migrated(sqlite_url) as engine:
        store = SqlSampleStore(engine)
        store.write([maker.sample(message_id=str(day), metadata={'day': day},
                                  timestamp=maker.MARCH
                                  + day * period.DAY)
                     for day in range(3)], NOW)
        expire(store, maker.MARCH + period.DAY)
        found = store.history(Selection(
            series=((Field.RESOURCE, 'a'),)), 9)
        assert [one.metadata for one in found] == [{'day': 1}, {'day': 2}]


def test_the_fake_store_tells_the_same_history() -> None:
    fake = FakeStore()
    fake.write([maker.sample(message_id=str(day), metadata={'day': day // 2},
                             timestamp=maker.MARCH + day * period.DAY)
                for day in range(4)], NOW)
    assert [one.metadata['day'] for one in fake.history(Selection(
        series=((Field.RESOURCE, 'a'),)), 9)] == [0, 1]
