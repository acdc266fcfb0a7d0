# SPDX-License-Identifier: Apache-2.0
"""Every question, asked of a real API, against the worked example."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from moc_meter import errors
from moc_meter.client import (
    Client,
    Filter,
    Forbidden,
    NotFound,
    Outcome,
    Unauthorized,
    frame,
    measured,
    pages,
)
from moc_meter.tests.functional.api import wiring
from moc_meter.tests.functional.client.serving import MEMBER, Service

TYPE = 'compute.instance.create.end'


def at(hour: int) -> datetime.datetime:
    return datetime.datetime(2026, 3, 1, hour, tzinfo=datetime.UTC)


RANGE = [Filter('timestamp', '>=', at(10)), Filter('timestamp', '<', at(13)),
         Filter('project', '=', 'p1')]


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, 'PAGE', 2)


def test_meters_are_of_resources_or_unique(client: Client) -> None:
    assert [(one.name, one.resource_id) for one
            in client.meters('project=p1')] == [('disk.gb', 'a'),
                                                ('disk.gb', 'b')]
    [unique] = client.meters('project=p1', unique=True)
    assert (unique.name, unique.resource_id) == ('disk.gb', None)


@pytest.mark.usefixtures('small_pages')
@pytest.mark.parametrize(('limit', 'expected'), [
    (None, [3, 5, 2, 8]), (3, [3, 5, 2]), (2, [3, 5]), (0, []), (9, [
        3, 5, 2, 8])])
def test_pages_are_one_list_until_the_limit(
        client: Client, limit: int | None, expected: list[int]) -> None:
    assert [one.volume for one in client.samples(
        'project=p1', meter='disk.gb', limit=limit)] == expected


@pytest.mark.usefixtures('small_pages')
def test_a_page_is_asked_for_when_it_is_come_to(service: Service,
                                                client: Client) -> None:
    before = len(service.asked)
    found = client.samples('project=p1')
    assert len(service.asked) == before
    next(found)
    next(found)
    assert len(service.asked) == before + 1
    next(found)
    assert len(service.asked) == before + 2


def test_a_sample_is_found_by_its_id(client: Client) -> None:
    [listed] = client.samples('message_id=sample-1')
    assert client.sample('sample-1') == listed
    assert (listed.volume, listed.timestamp, listed.metadata['size']) == (
        Decimal(8), at(10), '1')
    with pytest.raises(NotFound, match='Look for it'):
        client.sample('nothing')


@pytest.mark.usefixtures('small_pages')
def test_an_expression_is_asked_page_by_page(client: Client) -> None:
    found = client.query_samples(
        {'and': [{'=': {'project_id': 'p1'}},
                 {'>': {'volume': Decimal('2.000000001')}},
                 {'<=': {'timestamp': at(13)}}]}, [{'volume': 'asc'}])
    assert [one.volume for one in found] == [3, 5, 8]
    assert [one.volume for one in client.query_samples(
        '{"=": {"resource": "a"}}', '[{"volume": "desc"}]', 1)] == [8]


def test_resources_are_listed_and_described_as_they_were(
        client: Client) -> None:
    a, b = client.resources('project=p1', links=False)
    assert (a.resource_id, a.first_sample_timestamp,
            a.last_sample_timestamp) == ('a', at(10), at(11))
    assert [link.rel for link in b.links] == ['self']
    then = client.resource('a', at=at(10))
    assert then.metadata['instance_type'] == 'm10'
    assert [link.rel for link in then.links] == ['self', 'disk.gb']
    states = [*client.history('a')]
    assert [(one.valid_from, one.valid_until) for one in states] == [
        (at(10), at(11)), (at(11), None)]


def test_statistics_have_all_their_forms(client: Client) -> None:
    [row] = client.statistics('disk.gb', RANGE)
    assert (row.sum, row.count, row.avg, row.duration, row.aggregate) == (
        Decimal(15), 3, Decimal(5), Decimal(7200), None)
    rows = client.statistics(
        'disk.gb', 'project=p1', period=7200, groupby=['resource_id'],
        aggregates=['cardinality/user_id', 'max'])
    assert [(one.period_start, one.groupby) for one in rows] == [
        (at(10), {'resource_id': 'a'}), (at(12), {'resource_id': 'b'})]
    assert [one.aggregate for one in rows] == [
        {'cardinality/user_id': Decimal(2), 'max': Decimal(8)},
        {'cardinality/user_id': Decimal(1), 'max': Decimal(5)}]
    assert {one.sum for one in rows} == {None}


def test_events_and_what_they_say(client: Client) -> None:
    found = [*client.events([Filter('vcpus', '=', 2, 'integer')])]
    assert [one.message_id for one in found] == ['event-2']
    event = client.event('event-2')
    assert event == found[0]
    said = {one.name: one.typed for one in event.traits}
    assert (said['vcpus'], said['load'], said['launched_at']) == (
        2, Decimal('0.5'), wiring.NOW)
    assert client.event_types() == [TYPE]
    assert {one.name: one.type for one in client.traits(TYPE)}['load'] == (
        'float')
    assert [one.typed for one in client.trait_values(TYPE, 'vcpus')] == [
        1, 2, 4]


def test_ids_are_narrowed(client: Client) -> None:
    assert client.users(project='p1') == ['u1', 'u2']
    assert client.users(start=at(11), project='p1') == ['u2']
    assert client.projects(user='u3') == ['p2']
    assert 'region-1' in client.sources()
    assert client.resource_ids(project='p1', end=at(12)) == ['a']
    assert client.components(project='p1') == ['other']
    assert [one.name for one in client.meter_names(project='p1')] == [
        'disk.gb']
    assert client.meter_names('other', project='p1') == client.meter_names(
        project='p1')


def test_figures_and_samples_of_a_scope(client: Client) -> None:
    scope = client.scope('projects', 'p1')
    assert scope.volume('disk.gb', end=at(13)).volume == 15
    assert scope.volume('disk.gb', 'avg', end=at(13)).volume == 5
    assert scope.volume('nothing', 'max').volume is None
    assert scope.duration('disk.gb').duration == 7200
    assert [one.volume for one in scope.samples('disk.gb', limit=3)] == [
        8, 2, 5]
    assert [*scope.samples(user='u1')] == [
        *client.samples('user=u1')]


def test_what_the_service_can_do(client: Client) -> None:
    assert client.capabilities().storage == {'storage:production_ready': True}
    assert [one.id for one in client.versions()] == ['v2']


NAMES = st.text(st.characters(exclude_categories=['Cs'],
                              exclude_characters='\0'),
                min_size=1, max_size=40).filter(
                    # In a rule it selects what has none.
                    lambda name: name != 'None')


@settings(max_examples=25, deadline=None, suppress_health_check=[
    HealthCheck.function_scoped_fixture])
@given(NAMES, st.decimals(0, 10 ** 19, places=9))
@example('a?b#c;d%2Fe&f/history', Decimal('0.1'))
def test_any_name_and_volume_come_back_as_they_were_sent(
        client: Client, name: str, volume: Decimal) -> None:
    sent = measured('disk.gb', volume, source='s', unit='GB',
                    resource_id=f'r {name}', user_id=name, kind='gauge',
                    project_id='p4', timestamp=at(9), metadata={'a': name})
    assert client.ingest([sent]) == [
        Outcome(message_id=sent.message_id, status='stored')]
    found = client.sample(sent.message_id)
    assert (found.volume, found.user_id, found.resource_id,
            found.metadata) == (volume, name, f'r {name}', {'a': name})
    assert client.resource(sent.resource_id).user_id == name
    assert found in client.samples([Filter('user', '=', name),
                                    Filter('project', '=', 'p4')])


def test_the_same_sample_is_stored_once(client: Client) -> None:
    sent = [measured('disk.gb', 1, source='s', resource_id='z', unit='GB',
                     timestamp=at(9), project_id='p5') for _ in range(250)]
    assert {one.status for one in client.ingest(sent)} == {'stored'}
    again = client.ingest(sent)
    assert [one.message_id for one in again] == [
        one.message_id for one in sent]
    assert {one.status for one in again} == {'duplicate'}
    assert client.scope('projects', 'p5').volume('disk.gb').volume == 250


def test_a_sample_is_posted_as_old_clients_do(client: Client) -> None:
    sent = measured('lamp', '0.1', source='s', resource_id='hall', unit='W',
                    kind='gauge', timestamp=at(9), project_id='p1')
    [taken] = client.post([sent], direct=True)
    assert client.sample(taken.id).volume == taken.volume == Decimal('0.1')
    with pytest.raises(ValueError, match='one meter'):
        client.post([])


def test_whoever_may_not_is_told_so(service: Service) -> None:
    with service.client(MEMBER) as member:
        with pytest.raises(Unauthorized, match='p2') as foreign:
            list(member.samples('project=p2'))
        assert foreign.value.request_id
        with pytest.raises((Forbidden, Unauthorized)):
            member.event_types()


def test_answers_are_a_table(client: Client) -> None:
    table = frame(client.samples('project=p1', meter='disk.gb'))
    assert list(table['volume']) == [3, 5, 2, 8]
    assert table['timestamp'].max() == at(13)
    assert float(table['volume'].astype(float).sum()) == 18.0


def test_a_table_says_what_it_needs(monkeypatch: pytest.MonkeyPatch,
                                    client: Client) -> None:
    monkeypatch.setitem(__import__('sys').modules, 'pandas', None)
    with pytest.raises(errors.MissingLibrary, match='pip install pandas'):
        frame(client.meters())


