# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from moc_meter.api import policy
from moc_meter.tests.functional.api import wiring
from moc_meter.tests.functional.api.wiring import MEMBER, posted

LISTS = ('/v2/meters', '/v2/meters/disk.gb', '/v2/samples', '/v2/resources',
         '/v2/meters/disk.gb/statistics')


@pytest.fixture
def api(store: Any) -> Any:
    """One resource that p1 had, and that p2 has."""
    made = wiring.client(store)
    wiring.keep(made, [
        posted(counter_volume=1, resource_metadata={'owner': 'first'}),
        posted(counter_volume=2, project_id='p2', user_id='u2',
               timestamp='2026-03-01T11:00:00',
               resource_metadata={'owner': 'second'}),
        posted(counter_volume=4, resource_id='b', project_id='p2')])
    return made


@pytest.mark.parametrize('headers', [
    {}, {'X-Roles': 'admin'}, {'X-Roles': 'admin', 'X-Project-Id': 'p3'}])
def test_an_unlimited_caller_sees_all_projects(
        api: Any, headers: dict[str, str]) -> None:
    found = api.get('/v2/samples', headers=headers).json
    assert {one['project_id'] for one in found} == {'p1', 'p2'}


def test_a_limited_caller_sees_the_own_project_silently(api: Any) -> None:
    [sample] = api.get('/v2/samples', headers=MEMBER).json
    [old] = api.get('/v2/meters/disk.gb', headers=MEMBER).json
    [row] = api.get('/v2/meters/disk.gb/statistics', headers=MEMBER).json
    assert sample['volume'] == old['counter_volume'] == row['sum'] == 1.0


def test_meters_and_resources_are_as_the_own_samples_describe_them(
        api: Any) -> None:
    [meter] = api.get('/v2/meters', headers=MEMBER).json
    [resource] = api.get('/v2/resources', headers=MEMBER).json
    assert meter['project_id'] == resource['project_id'] == 'p1'
    assert meter['user_id'] == resource['user_id'] == 'u1'
    assert resource['metadata'] == {'owner': 'first'}
    assert resource['last_sample_timestamp'] == '2026-03-01T10:00:00'


@pytest.mark.parametrize('url', LISTS)
def test_the_own_project_may_be_named(api: Any, url: str) -> None:
    named = f'{url}?q.field=project_id&q.value=p1'
    assert api.get(named, headers=MEMBER).json == (
        api.get(url, headers=MEMBER).json)


@pytest.mark.parametrize('url', LISTS)
@pytest.mark.parametrize('field', ['project', 'project_id'])
@pytest.mark.parametrize('named', ['p2', 'None', 'P1', ''])
def test_another_project_named_anywhere_is_not_authorized(
        api: Any, url: str, field: str, named: str) -> None:
    answer = api.get(
        f'{url}?q.field=project&q.value=p1&q.field={field}&q.value={named}',
        headers=MEMBER, status=401)
    assert wiring.complaint(answer) == (
        f'Not Authorized to access project {named}')


@pytest.mark.parametrize('url', [*LISTS, '/v2/resources/a', '/v2/samples/x'])
def test_a_limited_caller_without_a_project_is_forbidden(
        api: Any, url: str) -> None:
    wiring.complaint(api.get(url, headers={'X-Roles': 'member'}, status=403))


def test_nor_may_such_a_caller_post(api: Any) -> None:
    api.post_json('/v2/meters/disk.gb', [posted()],
                  headers={'X-Roles': 'member'}, status=403)


def test_the_versions_are_for_everybody(api: Any) -> None:
    api.get('/', headers={'X-Roles': 'member'}, status=200)


def test_an_item_of_another_project_is_not_found(api: Any) -> None:
    [foreign] = api.get('/v2/samples?q.field=resource&q.value=b').json
    answer = api.get(f'/v2/samples/{foreign["id"]}', headers=MEMBER,
                     status=404)
    assert wiring.complaint(answer) == f'Sample {foreign["id"]} Not Found'
    answer = api.get('/v2/resources/b', headers=MEMBER, status=404)
    assert wiring.complaint(answer) == 'Resource b Not Found'


def test_an_item_of_several_projects_is_shown_as_the_own_one(api: Any
                                                             ) -> None:
    found = api.get('/v2/resources/a', headers=MEMBER).json
    assert (found['project_id'], found['metadata']) == (
        'p1', {'owner': 'first'})


@pytest.mark.parametrize('field', ['user', 'user_id'])
def test_other_users_of_the_own_project_are_seen(api: Any, field: str
                                                 ) -> None:
    wiring.keep(api, [posted(user_id='u9', resource_id='c')])
    [found] = api.get(f'/v2/samples?q.field={field}&q.value=u9',
                      headers=MEMBER).json
    assert found['resource_id'] == 'c'


def test_nobody_limited_posts_for_another_project(api: Any) -> None:
    answer = api.post_json('/v2/meters/disk.gb', [posted(project_id='p2')],
                           headers=MEMBER, status=400)
    assert wiring.complaint(answer) == (
        "Invalid input for field/attribute project_id. Value: 'p2'. "
        'can not post samples to other projects')


def test_a_policy_may_keep_posts_out_of_the_store(
        store: Any, tmp_path: Path) -> None:
    file = tmp_path / 'policy.yaml'
    file.write_text('"telemetry:create_samples_directly": "role:admin"')
    api = wiring.client(store, policy=policy.Policy(policy.enforcer(file),
                                                    policy.no_domains))
    for direct, status in ((True, 403), (False, 201)):
        api.post_json(f'/v2/meters/disk.gb?direct={direct}', [posted()],
                      headers=MEMBER, status=status)
    assert api.get('/v2/samples').json == []


def test_an_admin_posts_for_any_project(api: Any) -> None:
    api.post_json('/v2/meters/disk.gb', [posted(project_id='p9')],
                  headers={'X-Roles': 'admin', 'X-Project-Id': 'p1'},
                  status=201)
