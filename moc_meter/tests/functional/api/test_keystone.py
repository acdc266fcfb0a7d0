# SPDX-License-Identifier: Apache-2.0
"""Tokens of a real Keystone: whom they let in, and when no more."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Iterator
from typing import Any

import pytest

from moc_meter import errors
from moc_meter.api import keystone
from moc_meter.storage.samples.base import SampleStore
from moc_meter.tests.functional.api import wiring
from moc_meter.tests.functional.api.cloud import Cloud, settings
from moc_meter.tests.servers import base
from moc_meter.tests.servers.keystone import Keystone, KeystoneRefused

#: Of the hasty one's tokens; time to use one, on a busy machine.
_SECONDS = 8


@pytest.fixture(scope='module')
def reader(cloud: Cloud) -> str:
    """The name of somebody who may read what is of p1."""
    cloud.user('reader', 'reader', f'/projects/{cloud.projects["p1"]}')
    return 'reader'


@pytest.fixture
def api(cloud: Cloud, store: SampleStore) -> Any:
    return wiring.client(store, identity=cloud.door())


@pytest.fixture(scope='module')
def agent(cloud: Cloud) -> str:
    """A token of an application credential for POST /v2/ingest only."""
    user = cloud.user('agent', 'service',
                      f'/projects/{cloud.projects["p1"]}')
    made: Any = cloud.server.call(
        'POST', f'/users/{user}/application_credentials',
        {'application_credential': {
            'name': 'agent', 'secret': 'secret', 'access_rules': [
                {'service': 'metering', 'method': 'POST',
                 'path': '/v2/ingest'}]}},
        cloud.in_project('agent', 'p1')).body['application_credential']
    return cloud.server.authenticate({'identity': {
        'methods': ['application_credential'], 'application_credential': {
            'id': made['id'], 'secret': 'secret'}}})


def asked(api: Any, path: str, **headers: str) -> Any:
    return api.get(path, headers={
        name.replace('_', '-'): value for name, value in headers.items()},
        expect_errors=True)


def test_an_agent_does_what_its_application_credential_is_for(
        agent: str, api: Any) -> None:
    [outcome] = api.post_json('/v2/ingest', [wiring.posted(
        message_id='1', source='s', project_id='any')],
        headers={'X-Auth-Token': agent}).json
    assert outcome['status'] == 'stored'


@pytest.mark.parametrize(('verb', 'path'), [
    ('GET', '/v2/samples'), ('POST', '/v2/meters/disk.gb'),
    ('POST', '/v2/ingest/'), ('POST', '/v2//ingest')])
def test_and_nothing_else(agent: str, api: Any, verb: str, path: str
                          ) -> None:
    answer = api.request(path, method=verb, expect_errors=True,
                         headers={'X-Auth-Token': agent})
    assert answer.status_int == 401
    wiring.complaint(answer)


@pytest.mark.parametrize('token', [
    '', 'nonsense', 'gAAAAABnonsense', '\xff', ' ', '\x7f', '\0'])
def test_who_has_no_token_is_told_where_to_get_one(
        cloud: Cloud, api: Any, token: str) -> None:
    answer = api.get('/v2/samples', status=401,
                     extra_environ={'HTTP_X_AUTH_TOKEN': token})
    assert cloud.server.url in answer.headers['WWW-Authenticate']
    wiring.complaint(answer)


def test_the_versions_are_shown_without_a_token(api: Any) -> None:
    assert asked(api, '/', X_Auth_Token='nonsense').status_int == 200


def test_a_revoked_token_lets_nobody_in(cloud: Cloud, api: Any, reader: str
                                        ) -> None:
    token = cloud.in_project(reader, 'p1')
    assert asked(api, '/v2/samples', X_Auth_Token=token).status_int == 200
    cloud.server.call('DELETE', '/auth/tokens', token=token,
                      **{'X-Subject-Token': token})
    assert asked(api, '/v2/samples', X_Auth_Token=token).status_int == 401


def test_a_token_without_a_scope_reads_nothing(
        cloud: Cloud, api: Any, reader: str) -> None:
    token = cloud.token(reader, 'unscoped')
    assert asked(api, '/v2/samples', X_Auth_Token=token).status_int == 403


def test_a_project_that_is_new_in_a_domain_is_seen_after_a_minute(
        cloud: Cloud, store: SampleStore) -> None:
    domain = cloud.domains['institute']
    cloud.user('manager', 'manager', f'/domains/{domain}')
    now = [wiring.NOW]
    directory = keystone.Directory(cloud.settings(), lambda: now[0])
    api = wiring.client(
        store, identity=cloud.door(token_cache_time=300),
        policy=wiring.unchanged_policy(directory.projects))
    token = cloud.token('manager', {'domain': {'id': domain}})

    def named(project: str) -> int:
        status: int = asked(
            api, f'/v2/samples?q.field=project&q.value={project}',
            X_Auth_Token=token).status_int
        return status

    assert named(cloud.projects['p1']) == 200
    new = cloud.project('p4', 'institute')
    assert named(new) == 401
    now[0] += datetime.timedelta(seconds=60)
    assert named(new) == 200


@pytest.fixture(scope='module')
def hasty() -> Iterator[Keystone]:
    """One that may be stopped, whose tokens end soon."""
    with Keystone(token_seconds=_SECONDS) as server:
        yield server


@pytest.fixture
def hasty_api(hasty: Keystone, store: SampleStore) -> Any:
    return wiring.client(store, identity=functools.partial(
        keystone.Keystone, conf=settings(
            hasty, username='admin', password=hasty.password,
            project_name='admin', user_domain_id='default',
            project_domain_id='default')))


def test_an_expired_token_needs_the_company_of_a_service(
        hasty: Keystone, hasty_api: Any) -> None:
    token = hasty.admin_token()
    base.until(lambda: _ended(hasty, token), 10 * _SECONDS,
               'a token to expire')

    def status(**company: str) -> int:
        found: int = asked(hasty_api, '/v2/samples', X_Auth_Token=token,
                           **company).status_int
        return found

    assert status() == 401
    assert status(X_Service_Token=hasty.admin_token()) == 401
    [project] = hasty.admin('GET', '/projects?name=admin')['projects']
    [user] = hasty.admin('GET', '/users?name=admin')['users']
    [role] = hasty.admin('GET', '/roles?name=service')['roles']
    hasty.admin('PUT', f'/projects/{project["id"]}/users/{user["id"]}/roles/'
                       + role['id'])
    assert status(X_Service_Token=hasty.admin_token()) == 200


def _ended(server: Keystone, token: str) -> bool:
    try:
        server.admin('GET', '/auth/tokens', **{'X-Subject-Token': token})
    except KeystoneRefused:
        return True
    return False


def test_while_keystone_is_away_nobody_is_let_in_and_all_may_come_again(
        hasty: Keystone, hasty_api: Any) -> None:
    token = hasty.admin_token()
    hasty.stop()
    answer = asked(hasty_api, '/v2/samples', X_Auth_Token=token)
    assert (answer.status_int, answer.headers['Retry-After']) == (503, '10')
    assert 'Keystone does not answer' in wiring.complaint(answer)
    assert asked(hasty_api, '/').status_int == 200
    hasty.start()
    assert asked(hasty_api, '/v2/samples', X_Auth_Token=hasty.admin_token()
                 ).status_int == 200


def test_where_the_own_password_is_wrong_callers_are_not_to_blame(
        cloud: Cloud, store: SampleStore, reader: str) -> None:
    api = wiring.client(store, identity=cloud.door(password='wrong'))
    answer = asked(api, '/v2/samples',
                   X_Auth_Token=cloud.in_project(reader, 'p1'))
    assert answer.status_int == 503
    wiring.complaint(answer)


@pytest.mark.parametrize(('option', 'value'), [
    ('auth_type', 'nonsense'), ('auth_url', None),
    ('memcached_servers', ['127.0.0.1:1'])])
def test_what_cannot_work_is_refused_at_the_start(
        keystone_server: Keystone, store: SampleStore, option: str,
        value: object) -> None:
    with pytest.raises(errors.InvalidConfiguration):
        keystone.Keystone(wiring.client(store).app, settings(
            keystone_server, **{option: value}))
