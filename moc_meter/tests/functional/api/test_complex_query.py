# SPDX-License-Identifier: Apache-2.0
"""Complex queries, as they are sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moc_meter.storage.samples.base import SampleStore
from moc_meter.tests.contract.fakes import FakeStore
from moc_meter.tests.functional.api import wiring

URL = '/v2/query/samples'
ALL = [3.0, 5.0, 2.0, 8.0]
MEMBER = {'X-Roles': 'member', 'X-Project-Id': 'p1', 'X-User-Id': 'u1'}
NOT_VALID = 'Filter expression not valid: '
SCHEMAS = 'is not valid under any of the given schemas'


@pytest.fixture(scope='module')
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """What is equal on every database the store's contract shows."""
    path = tmp_path_factory.mktemp('complex') / 'query.db'
    with wiring.store(f'sqlite:///{path}') as store:
        yield filled(wiring.client(store))


def filled(api: Any) -> Any:
    wiring.keep(api, wiring.table())
    api.post_json('/v2/ingest', [{
        'message_id': 'm-1', 'source': 'agent', 'counter_name': 'events',
        'counter_type': 'delta', 'counter_unit': 'e', 'counter_volume': 1,
        'resource_id': 'c', 'timestamp': '2026-03-01T09:00:00',
        'project_id': 'p2', 'resource_metadata': {
            'size': 10, 'flag': True, 'tags': ['x', 'y'],
            'a.b': 'dotted', 'hw': {'rom': '1'}}}])
    return api


def ask(api: Any, where: object = None, orderby: object = None,
        headers: dict[str, str] | None = None, **body: object) -> Any:
    for name, value in (('filter', where), ('orderby', orderby)):
        if value is not None:
            body[name] = json.dumps(value)
    return api.post_json(URL, body, headers=headers).json


def volumes(api: Any, *asked: Any, **more: Any) -> list[float]:
    return [one['volume'] for one in ask(api, *asked, **more)]


def refusal(api: Any, body: object, status: int = 400,
            headers: dict[str, str] | None = None) -> str:
    return wiring.complaint(api.post_json(URL, body, headers=headers,
                                          status=status))


def disk(*rules: object) -> object:
    return {'and': [{'=': {'meter': 'disk.gb'}}, *rules]}


def test_the_worked_example(every_store: SampleStore) -> None:
    api = filled(wiring.client(every_store))
    assert ask(api, disk({'>': {'volume': 2}}), [{'volume': 'ASC'}],
               limit=2) == [
        one for wanted in (3.0, 5.0) for one in api.get('/v2/samples').json
        if one['volume'] == wanted]


@pytest.mark.parametrize(('rule', 'found'), [
    ({'!=': {'volume': 5}}, [3.0, 2.0, 8.0]),
    ({'>=': {'counter_volume': '5.0'}}, [5.0, 8.0]),
    ({'=>': {'volume': 5}}, [5.0, 8.0]),
    ({'=<': {'volume': 3.5}}, [3.0, 2.0]),
    ({'<': {'timestamp': '2026-03-01T11:00'}}, [8.0]),
    ({'<=': {'timestamp': '2026-03-01T12:00:00+01:00'}}, [2.0, 8.0]),
    ({'in': {'timestamp': ['2026-03-01T11', '2026-03-01T12']}}, [5.0, 2.0]),
    ({'>': {'recorded_at': '2026-03-02'}}, ALL),
    ({'=': {'source': 'p1:openstack'}}, ALL),
    ({'in': {'user': ['u2', 'u3']}}, [3.0, 5.0, 2.0]),
    ({'=~': {'resource': '^[ax]$'}}, [2.0, 8.0]),
    ({'=~': {'resource_id': 'A'}}, []),
    ({'NOT': {'OR': [{'=': {'user_id': 'u1'}}, {'=': {'volume': 3}}]}},
     [5.0, 2.0]),
    ({'=': {'type': 'gauge'}}, ALL), ({'=': {'unit': 'GB'}}, ALL),
    ({'=': {'message_signature': 'x'}}, []),
    ({'=': {'resource_id': 5}}, []),
    ({'not': {'=': {'metadata.size': 10}}}, ALL),
])
def test_a_rule_selects(kept: Any, rule: object,
                        found: list[float]) -> None:
    assert volumes(kept, disk(rule)) == found


@pytest.mark.parametrize('rule', [
    {'=': {'metadata.size': 10}}, {'=': {'metadata.size': 10.0}},
    {'>': {'metadata.size': 9}}, {'<': {'metadata.size': 10.5}},
    {'!=': {'metadata.size': '10'}}, {'=': {'metadata.flag': True}},
    {'=': {'metadata.tags[1]': 'y'}}, {'=': {'metadata.a.b': 'dotted'}},
    {'in': {'metadata.size': [9, 10]}}, {'=~': {'metadata.hw.rom': r'\d'}},
    {'=': {'metadata.hw.rom': '1'}}, {'=': {'message_id': 'm-1'}},
    {'in': {'message_id': ['m-1', 'm-2']}}, {'=~': {'message_id': '^m'}},
])
def test_metadata_are_compared_by_type(kept: Any, rule: object) -> None:
    assert volumes(kept, rule) == [1.0]


@pytest.mark.parametrize('rule', [
    {'=': {'metadata.size': '10'}}, {'=': {'metadata.flag': 'True'}},
    {'=': {'metadata.flag': 1}}, {'=': {'metadata.hw.rom': 1}},
    {'>': {'metadata.size': '1'}}, {'!=': {'metadata.none': 1}},
    {'in': {'metadata.size': ['10']}}, {'=': {'metadata.hw': '1'}}])
def test_what_is_of_another_type_or_not_there_is_unequal(
        kept: Any, rule: object) -> None:
    assert volumes(kept, rule) == []


def test_no_filter_and_no_order_are_the_default(kept: Any) -> None:
    assert volumes(kept) == [*ALL, 1.0]
    assert volumes(kept, None, []) == [*ALL, 1.0]
    assert volumes(kept, None, [{'user': 'desc'}, {'volume': 'Asc'}]) == [
        2.0, 3.0, 5.0, 8.0, 1.0]
    assert volumes(kept, limit='2') == ALL[:2]


@pytest.mark.parametrize(('text', 'said'), [
    ('{', 'Expecting property name'), ('[]', SCHEMAS), ('null', SCHEMAS),
    ('"x"', SCHEMAS), ('{}', SCHEMAS),
    ('{"and": [{"=": {"user": "a"}}]}', SCHEMAS),
    ('{"and": {"=": {"user": "a"}}}', SCHEMAS),
    ('{"=": {"user": "a"}, "<": {"user": "a"}}', SCHEMAS),
    ('{"=": {"user": "a"}, "=": {"user": "b"}}', 'a key twice'),
    ('{"=": {"user": "a", "unit": "b"}}', SCHEMAS),
    ('{"=": {"user": null}}', SCHEMAS), ('{"=": {"user": ["a"]}}', SCHEMAS),
    ('{"=": {"user": true}}', SCHEMAS), ('{"in": {"user": []}}', SCHEMAS),
    ('{"in": {"user": [true]}}', SCHEMAS), ('{"in": {"user": "a"}}', SCHEMAS),
    ('{"=": {"id": "a"}}', SCHEMAS), ('{"==": {"user": "a"}}', SCHEMAS),
    ('{"=": {"resource_metadata.a": "a"}}', SCHEMAS),
    ('{"=": {"resource_metadata": "a"}}', SCHEMAS),
    ('{"=": {"volume": "many"}}', SCHEMAS),
    ('{"=": {"volume": NaN}}', 'is no number'),
    ('{"=": {"metadata.x": 1e999}}', 'too large'),
    ('{"=~": {"volume": "1"}}', SCHEMAS), ('{"=~": {"user": 1}}', SCHEMAS),
    ('{"not": ' * 30 + '{"=": {"user": "a"}}' + '}' * 30, 'too deeply'),
    ('[' * 50_000, 'too deeply'),
    ('{"in": {"user": [' + ','.join(['"a"'] * 501) + ']}}', '500 values'),
    ('{"or": [' + ','.join(['{"=": {"user": "a"}}'] * 151) + ']}',
     '150 comparisons'),
    ('{"=~": {"user": "' + 'a' * 300 + '"}}', 'too long'),
    (' ' * 70_000, 'characters'),
])
def test_a_filter_that_is_none_is_refused(kept: Any, text: str,
                                          said: str) -> None:
    found = refusal(kept, {'filter': text})
    assert found.startswith(NOT_VALID)
    assert said in found


@pytest.mark.parametrize(('text', 'said'), [
    ('{', 'Expecting'), ('{}', "is not of type 'array'"),
    ('[1]', "is not of type 'object'"), ('[{}]', 'exactly one'),
    ('[{"user": "up"}]', "does not match '(?i)^asc$|^desc$'"),
    ('[{"user": 1}]', "is not of type 'string'"),
    ('[{"metadata.x": "asc"}]', 'is not one of'),
    ('[{"user": "asc", "unit": "asc"}]', 'exactly one')])
def test_an_order_that_is_none_is_refused(kept: Any, text: str,
                                          said: str) -> None:
    found = refusal(kept, {'orderby': text})
    assert found.startswith('Order-by expression not valid: ')
    assert said in found


@pytest.mark.parametrize(('body', 'said'), [
    ({'x': 1}, 'Unknown attribute for argument body: x'),
    ({'filter': {'=': {'user': 'a'}}}, 'field/attribute filter'),
    ({'limit': 0}, 'Limit must be positive'),
    ({'limit': '-1'}, 'Limit must be positive'),
    ({'limit': 'x'}, 'unable to convert to int'),
    ({'limit': True}, 'unable to convert to int'),
    ({'limit': 1.5}, 'unable to convert to int'),
    ([], 'An object is expected'), (None, 'An object is expected'),
    ({'filter': '{"=": {"timestamp": "soon"}}'},
     'Failed to parse the timestamp value soon'),
    ({'filter': '{"in": {"recorded_at": [5]}}'},
     'Failed to parse the timestamp value 5'),
    ({'filter': '{"=~": {"user": "("}}'}, 'regular expression is invalid'),
    ({'filter': '{"=~": {"metadata.a": "["}}'},
     'regular expression is invalid'),
    ({'filter': '{"=": {"user": "\\u0000"}}'}, 'NUL'),
    ({'filter': '{"=": {"user": "\\ud800"}}'}, 'Unicode')])
def test_a_body_that_is_none_is_refused(kept: Any, body: object,
                                        said: str) -> None:
    assert said in refusal(kept, body)


def test_without_a_body_nothing_is_asked(api: Any) -> None:
    answer = api.post(URL, b'', content_type='application/json', status=400)
    assert 'must be in the request body' in wiring.complaint(answer)


@pytest.mark.parametrize('where', [
    {'=': {'project_id': 'p2'}}, {'=': {'project': 'p2'}},
    {'!=': {'project': 'p2'}}, {'=~': {'project': 'p.'}},
    {'<': {'project': 'p2'}}, {'in': {'project_id': ['p1', 'p2']}},
    {'or': [{'=': {'user': 'a'}}, {'=': {'project': 'p2'}}]},
    {'not': {'not': {'=': {'project': 'p2'}}}}, {'=': {'project': ''}}])
def test_a_foreign_project_must_not_be_named(kept: Any,
                                             where: object) -> None:
    assert 'Not Authorized to access project' in refusal(
        kept, {'filter': json.dumps(where)}, 401, MEMBER)


@pytest.mark.parametrize(('where', 'found'), [
    (None, ALL), ({'=': {'project': 'p1'}}, ALL),
    ({'in': {'project_id': ['p1']}}, ALL), ({'!=': {'project': 'p1'}}, []),
    ({'or': [{'=': {'resource': 'c'}}, {'=': {'volume': 8}}]}, [8.0]),
    ({'not': {'=': {'resource': 'a'}}}, [3.0, 5.0])])
def test_only_the_own_project_is_seen(kept: Any, where: object,
                                      found: list[float]) -> None:
    assert volumes(kept, where, headers=MEMBER) == found


def test_the_largest_filters_are_answered(every_store: SampleStore) -> None:
    api, fake = wiring.client(every_store), wiring.client(FakeStore())
    for one in api, fake:
        wiring.keep(one, wiring.table())
    for rule in ({'!=': {'metadata.a': 1}}, {'<': {'metadata.a': 1}},
                 {'=': {'user': ''}}, {'=~': {'user': 'x'}},
                 {'not': {'<': {'volume': 1}}},
                 {'in': {'metadata.a': ['x', 1]}}):
        where: object = {'or': [rule] * 128}
        for _ in range(10):
            where = {'and': [{'not': where}, {'in': {'user': ['u1'] * 24}}]}
        assert ask(api, where) == ask(fake, where)


def test_pages_follow_one_another(kept: Any) -> None:
    body = {'orderby': '[{"volume": "desc"}]', 'limit': 2}
    url, found = URL, []
    while url:
        answer = kept.post_json(url, body)
        found += [one['volume'] for one in answer.json]
        link = answer.headers.get('Link', '')
        assert not link or link.endswith('; rel="next"')
        url = link.partition('>')[0].removeprefix('<http://localhost')
    assert found == [8.0, 5.0, 3.0, 2.0, 1.0]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(
        max_size=9) | st.sampled_from(['2026-03-01', '(', 'p1']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(['and', 'or', 'not', '=', '!=', '<', '=~', 'in',
                         'user', 'project', 'volume', 'timestamp',
                         'metadata.a']), inner, max_size=2))


def test_whatever_is_asked_is_answered_or_refused() -> None:
    api = wiring.client(FakeStore())

    @settings(deadline=None, max_examples=400,
              suppress_health_check=[HealthCheck.too_slow])
    @given(_JSON | st.text(), _JSON | st.text(), st.booleans())
    def asked(where: object, orderby: object, limited: bool) -> None:
        answer = api.post_json(URL, {
            'filter': where if isinstance(where, str) else json.dumps(where),
            'orderby': orderby if isinstance(orderby, str)
            else json.dumps(orderby)},
            headers=MEMBER if limited else {}, expect_errors=True)
        assert answer.status_int in (200, 400, 401)

    asked()
