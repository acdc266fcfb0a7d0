# SPDX-License-Identifier: Apache-2.0
"""Events, their types and traits, as notifications left them."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest

from moc_meter.model import traits
from moc_meter.model.sample import MeterKind, Sample
from moc_meter.storage.samples.base import SampleStore
from moc_meter.tests.functional.api import wiring
from moc_meter.tests.functional.api.wiring import MEMBER

TEN = datetime.datetime(2026, 3, 1, 10, tzinfo=datetime.UTC)
ADMIN = {'X-Roles': 'admin', 'X-Project-Id': 'p1', 'X-User-Id': 'root'}
TYPES = '/v2/event_types'


def event(number: int, kind: str = 'compute.instance.create.end',
          user: str | None = 'u1', project: str | None = 'p1',
          **said: object) -> Sample:
    """The event of a number: one a minute since ten."""
    owner = {traits.USER: user, traits.PROJECT: project}
    return Sample(
        source='region-1', message_id=f'e-{number}', meter=kind,
        timestamp=TEN + number * datetime.timedelta(minutes=1),
        kind=MeterKind.EVENT, unit='event', volume=Decimal(1),
        resource_id='i-1', is_event=True, metadata={
            name: value for name, value in {**owner, **said}.items()
            if value is not None})


EVENTS = (
    event(0, state='building', memory_mb=512, load=0.1,
          launched_at=traits.spelled(TEN)),
    event(1, 'compute.instance.delete.end', state='deleted', memory_mb=2048,
          load=2.5e-10),
    event(2, user='u2', state='active', memory_mb='512'),
    event(3, user='u3', project='p2', state='active', memory_mb=1024),
    event(4, 'identity.authenticate', project=None, outcome='success'))


@pytest.fixture
def api(every_store: SampleStore) -> Any:
    every_store.write([*EVENTS[::-1]], wiring.NOW)
    return wiring.client(every_store)


@pytest.fixture
def lone(store: SampleStore) -> Any:
    """Of an empty store, on one database."""
    return wiring.client(store)


def rule(field: str, op: str, value: object, kind: str = '') -> str:
    return f'q.field={field}&q.op={op}&q.value={value}&q.type={kind}'


def found(api: Any, query: str = '', headers: Any = ADMIN) -> list[int]:
    """Numbers of the events that are answered."""
    return [int(one['message_id'].removeprefix('e-'))
            for one in api.get(f'/v2/events?{query}', headers=headers).json]


def test_an_event_is_shown_with_its_traits_by_name(api: Any) -> None:
    shown = {
        'message_id': 'e-0', 'event_type': 'compute.instance.create.end',
        'generated': '2026-03-01T10:00:00', 'raw': {}, 'traits': [
            {'name': name, 'type': kind, 'value': value}
            for name, kind, value in (
                ('launched_at', 'datetime', '2026-03-01T10:00:00'),
                ('load', 'float', '0.1'), ('memory_mb', 'integer', '512'),
                ('project_id', 'string', 'p1'), ('state', 'string',
                                                 'building'),
                ('user_id', 'string', 'u1'))]}
    assert api.get('/v2/events?limit=1', headers=ADMIN).json == [shown]
    assert api.get('/v2/events/e-0', headers=ADMIN).json == shown


def test_who_sees_which_event(api: Any) -> None:
    """An admin those of the project and of none; a member the own ones."""
    assert found(api) == [0, 1, 2, 4]
    assert found(api, headers=MEMBER) == [0, 1]
    assert found(api, headers=MEMBER | {'X-User-Id': 'u2'}) == [2]
    for headers, seen in ((ADMIN, {0, 1, 2, 4}), (MEMBER, {0, 1})):
        for number in range(5):
            answer = api.get(f'/v2/events/e-{number}', headers=headers,
                             status=200 if number in seen else 404)
            if number not in seen:
                assert wiring.complaint(answer) == (
                    f'Event e-{number} Not Found')


def test_no_rule_shows_what_is_another_ones(api: Any) -> None:
    for query in (
            rule('project_id', 'eq', 'p2'), rule('project_id', 'ne', 'p1'),
            rule('user_id', 'eq', 'u3'), rule('user_id', 'ge', 'u2'),
            rule('message_id', 'eq', 'e-3'), rule('event_type', 'eq', 'x')):
        assert found(api, query, MEMBER) == [], query


@pytest.mark.parametrize('headers', [
    {}, {'X-Roles': 'admin'}, {'X-Roles': 'admin', 'X-Project-Id': 'p1'},
    {'X-Roles': 'member', 'X-User-Id': 'u1'},
    {'X-Roles': 'reader', 'OpenStack-System-Scope': 'all',
     'X-User-Id': 'u1'}])
@pytest.mark.parametrize('url', ['/v2/events', '/v2/events/e-0'])
def test_without_a_user_or_a_project_nobody_sees_any(
        lone: Any, url: str, headers: dict[str, str]) -> None:
    wiring.complaint(lone.get(url, headers=headers, status=403))


#: Rules, and the events that an administrator of p1 finds by them.
SELECTED: tuple[tuple[str, list[int]], ...] = (
    (rule('event_type', 'eq', 'identity.authenticate'), [4]),
    (rule('event_type', 'eq', 'compute.instance.create.end'), [0, 2]),
    (rule('message_id', 'eq', 'e-2'), [2]),
    (rule('message_id', 'eq', 'e-2') + '&' + rule('message_id', 'eq', 'e-1'),
     []),
    (rule('event_type', 'eq', 'a') + '&' + rule('event_type', 'eq', 'b'), []),
    (rule('start_timestamp', 'ge', '2026-03-01T10:01'), [1, 2, 4]),
    (rule('end_timestamp', 'le', '2026-03-01T10:01'), [0, 1]),
    (rule('end_timestamp', 'lt', '2026-03-01T10:01'), [0]),
    (rule('start_timestamp', 'ge', '2026-03-01T10:01') + '&'
     + rule('end_timestamp', 'lt', '2026-03-01T10:04'), [1, 2]),
    (rule('state', '', 'active'), [2]), (rule('state', 'ne', 'active'),
                                         [0, 1]),
    (rule('state', 'lt', 'building'), [2]),
    (rule('state', 'ge', 'building', 'string'), [0, 1]),
    (rule('memory_mb', 'eq', 512), [2]),
    (rule('memory_mb', 'eq', 512, 'integer'), [0]),
    (rule('memory_mb', 'gt', 512, 'integer'), [1]),
    (rule('memory_mb', 'le', 2048, 'integer'), [0, 1]),
    (rule('memory_mb', 'ne', 512, 'integer'), [1]),
    (rule('memory_mb', 'gt', -1, 'integer'), [0, 1]),
    (rule('load', 'eq', '0.10', 'float'), [0]),
    (rule('load', 'lt', '0.1', 'float'), [1]),
    (rule('load', 'gt', '2.4999999e-10', 'float'), [0, 1]),
    (rule('load', 'le', '2.4999999e-10', 'float'), []),
    (rule('launched_at', 'eq', '2026-03-01T11:00:00%2B01:00', 'datetime'),
     [0]),
    (rule('launched_at', 'lt', '2026-03-01T10:00:00', 'datetime'), []),
    (rule('launched_at', 'gt', '1066-10-14', 'datetime'), [0]),
    (rule('state', 'eq', 'building') + '&' + rule('state', 'eq', 'active'),
     []),
    (rule('state', 'ge', 'a') + '&' + rule('memory_mb', 'lt', 9999,
                                           'integer'), [0, 1]),
    (rule('absent', 'ne', 'x'), []), (rule('load', 'eq', '%C3%A4' * 300), []))


def test_events_are_selected_by_what_they_say(api: Any) -> None:
    assert {query: found(api, query) for query, _ in SELECTED} == dict(
        SELECTED)


@pytest.mark.parametrize(('query', 'complaint'), [
    (rule('event_type', 'ne', 'x'), 'unimplemented operator for event_type'),
    (rule('message_id', 'gt', 'x'), 'unimplemented operator for message_id'),
    (rule('start_timestamp', '', '2026-03-01'), "Value: 'eq'"),
    (rule('start_timestamp', 'gt', '2026-03-01'), "Value: 'gt'"),
    (rule('end_timestamp', 'ge', '2026-03-01'), "Value: 'ge'"),
    (rule('end_timestamp', 'le', 'now'), 'invalid timestamp format'),
    (rule('s', 'like', 'x'), "Value: 'like'. unimplemented operator for s"),
    (rule('state', 'eq', 'x', 'boolean'),
     "list is: ['integer', 'float', 'string', 'datetime']"),
    (rule('n', 'eq', '17.3', 'integer'),
     'the value 17.3 to the expected data type integer.'),
    (rule('n', 'eq', 2 ** 63, 'integer'), 'Unable to convert'),
    (rule('n', 'eq', 'nan', 'float'), 'Unable to convert'),
    (rule('n', 'eq', '1_0', 'float'), 'Unable to convert'),
    (rule('n', 'eq', '%D9%A3', 'integer'), 'Unable to convert'),
    (rule('n', 'eq', 'now', 'datetime'), 'Unable to convert'),
    ('q.field=state', 'Mandatory field missing'), ('limit=0', 'positive'),
    ('other=1', 'Unknown argument: "other"'), (rule('n', 'eq', '%00'), ''),
    ('marker=x', 'marker')])
def test_what_is_wrong_is_refused(lone: Any, query: str, complaint: str
                                  ) -> None:
    answer = lone.get(f'/v2/events?{query}', headers=ADMIN, status=400)
    assert complaint in wiring.complaint(answer)


def test_pages_have_each_event_once(every_store: SampleStore) -> None:
    """Also those of one instant, whatever their ids look like."""
    ids = ['0' * 32, 'f' * 32, 'B', 'a', '5' * 32, 'é']
    every_store.write([
        Sample(source='s', message_id=name, timestamp=TEN, meter='x',
               kind=MeterKind.EVENT, unit='event', volume=Decimal(1),
               resource_id=name, is_event=True, metadata=owner)
        for owner in ({}, {'project_id': 'p1'}) for name in ids
        for name in [name if owner else name + '1']], wiring.NOW)
    api, url, seen = wiring.client(every_store), '/v2/events?limit=5', []
    while url:
        answer = api.get(url, headers=ADMIN)
        seen += [one['message_id'] for one in answer.json]
        url = answer.headers.get('Link', '')[1:].partition('>')[0]
    assert seen == sorted([*ids, *(name + '1' for name in ids)])


def test_types_and_their_traits(api: Any) -> None:
    kind = 'compute.instance.create.end'
    assert api.get(TYPES, headers=ADMIN).json == [
        kind, 'compute.instance.delete.end', 'identity.authenticate']
    assert api.get(f'{TYPES}/{kind}/traits', headers=ADMIN).json == [
        {'name': name, 'type': type_} for name, type_ in (
            ('launched_at', 'datetime'), ('load', 'float'),
            ('memory_mb', 'integer'), ('memory_mb', 'string'),
            ('project_id', 'string'), ('state', 'string'),
            ('user_id', 'string'))]
    assert api.get(f'{TYPES}/{kind}/traits/memory_mb', headers=ADMIN
                   ).json == [
        {'name': 'memory_mb', 'type': type_, 'value': value}
        for type_, value in (('integer', '512'), ('string', '512'),
                             ('integer', '1024'))]
    assert api.get(f'{TYPES}/', headers=ADMIN).json == api.get(
        TYPES, headers=ADMIN).json


def test_of_unknown_types_and_traits_there_is_none(api: Any) -> None:
    for url in ('x/traits', 'x/traits/y',
                'compute.instance.create.end/traits/y'):
        assert api.get(f'{TYPES}/{url}', headers=ADMIN).json == []
    wiring.complaint(api.get(f'{TYPES}/identity.authenticate', headers=ADMIN,
                             status=404))


@pytest.mark.parametrize('url', ['', '/x/traits', '/x/traits/y'])
def test_types_are_for_administrators(lone: Any, url: str) -> None:
    wiring.complaint(lone.get(TYPES + url, headers=MEMBER, status=401))
