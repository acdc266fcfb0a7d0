# SPDX-License-Identifier: Apache-2.0
"""Processes whose callers must say who they are, and commands that do."""

from __future__ import annotations

import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import bcrypt
import pytest
import webtest

from moc_meter import conf
from moc_meter.cmd import build_api, credentials
from moc_meter.tests.functional.api import wiring
from moc_meter.tests.functional.cmd.command import configured
from moc_meter.tests.functional.cmd.running import running
from moc_meter.tests.servers.base import free_port
from moc_meter.tests.servers.keystone import Keystone

_OPTIONS = """
[api]
port = {port}
auth_strategy = basic
users_file = {folder}/users
[polling]
hardware =
hypervisor =
"""


_KEYSTONE = """
[api]
auth_strategy = keystone
[keystone_authtoken]
auth_url = {url}
username = admin
password = {password}
user_domain_name = Default
project_name = admin
project_domain_name = Default
"""


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """Of an all-in-one that knows an administrator."""
    port = free_port()
    kept = bcrypt.hashpw(b'word', bcrypt.gensalt(4)).decode()
    (tmp_path / 'users').write_text(f'root:{kept}::admin\n')
    with running('all_in_one', tmp_path,
                 _OPTIONS.format(port=port, folder=tmp_path)):
        yield f'http://127.0.0.1:{port}'


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whoever runs the tests is nobody to them."""
    for name in ('OS_CLOUD', 'OS_AUTH_TYPE', 'OS_AUTH_URL', 'OS_USERNAME',
                 'OS_PASSWORD'):
        monkeypatch.delenv(name, raising=False)
    credentials._session.cache_clear()
    yield
    credentials._session.cache_clear()


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as fault:
        return fault.code


def test_commands_say_who_asks_and_others_are_not_let_in(
        url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replay = ('notification', 'replay', '--example', '--url', url)
    send = [sys.executable, '-m', 'moc_meter.cmd.shell', 'truth', 'send',
            '--seed', '1', '--scale', 'instances=1,days=1', '--api', url]
    manage = configured(tmp_path, {})
    assert (status(url), status(f'{url}/v2/meters')) == (200, 401)
    refused = manage(*replay)
    assert refused.status == 2
    assert '401' in refused.err
    monkeypatch.setenv('OS_AUTH_TYPE', 'http_basic')
    monkeypatch.setenv('OS_USERNAME', 'root')
    monkeypatch.setenv('OS_PASSWORD', 'word')
    answer = manage(*replay)
    assert answer.status == 0, answer.err
    sent = subprocess.run(send, capture_output=True, text=True, timeout=120,
                          check=False)
    assert sent.returncode == 0, sent.stderr


def test_the_options_of_keystone_reach_it(
        keystone_server: Keystone, tmp_path: Path, sqlite_url: str) -> None:
    file = tmp_path / 'api.conf'
    file.write_text(_KEYSTONE.format(url=keystone_server.url,
                                     password=keystone_server.password))
    options = conf.load('moc-meter-api', ['--config-file', str(file)])
    with wiring.store(sqlite_url) as store:
        api = webtest.TestApp(build_api.application(options, store,
                                                    wiring.Outbox()))
        api.get('/v2/samples', status=401)
        api.get('/v2/samples', status=200, headers={
            'X-Auth-Token': keystone_server.admin_token()})


def test_a_token_is_asked_of_keystone(
        keystone_server: Keystone, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
            'OS_AUTH_URL': keystone_server.url, 'OS_USERNAME': 'admin',
            'OS_PASSWORD': keystone_server.password,
            'OS_PROJECT_NAME': 'admin', 'OS_USER_DOMAIN_ID': 'default',
            'OS_PROJECT_DOMAIN_ID': 'default'}.items():
        monkeypatch.setenv(name, value)
    assert credentials.headers()['X-Auth-Token']


def test_the_sample_of_the_policy_has_every_rule(tmp_path: Path) -> None:
    file = tmp_path / 'policy.yaml'
    subprocess.run([Path(sys.executable).with_name(
        'oslopolicy-sample-generator'), '--namespace', 'moc_meter',
        '--output-file', file], check=True, timeout=60)
    assert '#"telemetry:create_samples_directly":' in file.read_text()
