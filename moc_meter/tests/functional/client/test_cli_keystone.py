# SPDX-License-Identifier: Apache-2.0
"""Who asks, as clouds.yaml and the variables OS_* say it, with a Keystone."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from moc_meter.api import keystone
from moc_meter.cmd import exits, shell
from moc_meter.tests.functional.api import cloud, wiring
from moc_meter.tests.functional.api.live import served
from moc_meter.tests.functional.client import cli_world
from moc_meter.tests.servers.keystone import Keystone


@pytest.fixture
def url(keystone_server: Keystone, sqlite_url: str) -> Iterator[str]:
    """A service that takes tokens."""
    door = functools.partial(keystone.Keystone, conf=cloud.settings(
        keystone_server, username='admin', project_id=_project(
            keystone_server), password=keystone_server.password,
        user_domain_id='default'))
    with wiring.store(sqlite_url) as store:
        store.write([*cli_world.samples()], wiring.NOW)
        with served(wiring.client(store, identity=door)) as made:
            yield made


def _project(server: Keystone) -> str:
    found: str = server.admin('GET', '/projects?name=admin')['projects'][0][
        'id']
    return found


def test_a_cloud_of_a_file_says_who_asks(
        keystone_server: Keystone, url: str, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / 'clouds.yaml'
    file.write_text(yaml.safe_dump({'clouds': {'lab': {
        'metering_endpoint_override': url, 'auth': {
            'auth_url': keystone_server.url, 'username': 'admin',
            'password': keystone_server.password, 'project_name': 'admin',
            'user_domain_id': 'default', 'project_domain_id': 'default'}}}}))
    monkeypatch.setenv('OS_CLIENT_CONFIG_FILE', str(file))
    assert shell.main(['source', 'list', '-f', 'value', '--os-cloud',
                       'lab']) == 0
    assert capsys.readouterr().out == 'region-1\n'
    assert shell.main(['source', 'list', '--os-cloud', 'none']) == (
        exits.REFUSED)
    assert 'none' in capsys.readouterr().err


def test_a_revoked_token_is_one_line_that_does_not_show_it(
        keystone_server: Keystone, url: str,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    token = keystone_server.token(
        'admin', keystone_server.password,
        {'project': {'id': _project(keystone_server)}}, 'default')
    for name, value in (('AUTH_TYPE', 'admin_token'), ('TOKEN', token),
                        ('ENDPOINT', url)):
        monkeypatch.setenv(f'OS_{name}', value)
    assert shell.main(['source', 'list', '-f', 'value']) == 0
    keystone_server.admin('DELETE', '/auth/tokens',
                          **{'X-Subject-Token': token})
    capsys.readouterr()
    assert shell.main(['source', 'list']) == exits.UNAUTHORIZED
    said = capsys.readouterr()
    assert said.out == ''
    [line] = said.err.splitlines()
    assert '401' in line
    assert '--os-cloud' in line
    assert token not in line
