# SPDX-License-Identifier: Apache-2.0
"""A real Keystone says who asks, and where the service is."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import pytest

from moc_meter.api import keystone
from moc_meter.client import NoService, Unauthorized, connect
from moc_meter.tests.functional.api import cloud, wiring
from moc_meter.tests.functional.api.live import served
from moc_meter.tests.servers.keystone import Keystone

REGION = 'region-of-clients'


@pytest.fixture
def clerk(keystone_server: Keystone, sqlite_url: str,
          monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The id of a user whom the variables OS_* name."""
    ask = keystone_server.admin
    project = ask('GET', '/projects?name=admin')['projects'][0]['id']
    role = ask('GET', '/roles?name=admin')['roles'][0]['id']
    user: str = ask('POST', '/users', {'user': {
        'name': 'clerk of clients', 'password': 'word'}})['user']['id']
    ask('PUT', f'/projects/{project}/users/{user}/roles/{role}')
    for name, value in {
            'AUTH_URL': keystone_server.url, 'USERNAME': 'clerk of clients',
            'PASSWORD': 'word', 'PROJECT_NAME': 'admin',
            'USER_DOMAIN_ID': 'default', 'PROJECT_DOMAIN_ID': 'default',
            'REGION_NAME': REGION}.items():
        monkeypatch.setenv(f'OS_{name}', value)
    door = functools.partial(keystone.Keystone, conf=cloud.settings(
        keystone_server, username='admin', password=keystone_server.password,
        project_id=project, user_domain_id='default'))
    with (wiring.store(sqlite_url) as store,
          served(wiring.client(store, identity=door)) as url):
        service = ask('POST', '/services', {'service': {
            'type': 'metering', 'name': 'metering of clients'}})
        ask('POST', '/regions', {'region': {'id': REGION}})
        ask('POST', '/endpoints', {'endpoint': {
            'service_id': service['service']['id'], 'interface': 'public',
            'url': f'{url}/v2', 'region_id': REGION}})
        yield user


def test_a_revoked_token_is_renewed_and_a_revoked_user_is_not(
        keystone_server: Keystone, clerk: str) -> None:
    """And the service is found in the catalogue, in its region."""
    with connect() as client:
        assert list(client.meters()) == []
        session = client.connection.session
        token = session.get_token()
        keystone_server.admin('DELETE', '/auth/tokens',
                              **{'X-Subject-Token': str(token)})
        assert list(client.meters()) == []
        assert session.get_token() != token
        with pytest.raises(NoService, match='in elsewhere region'):
            list(connect(session=session, region='elsewhere').meters())
        keystone_server.admin('PATCH', f'/users/{clerk}', {'user': {
            'enabled': False}})
        with pytest.raises(Unauthorized, match='Keystone does not let'):
            list(client.meters())
