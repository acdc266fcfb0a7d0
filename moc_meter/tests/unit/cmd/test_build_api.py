# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import webob
from keystoneauth1 import loading
from keystonemiddleware import opts

from moc_meter import conf, errors
from moc_meter.api import policy
from moc_meter.cmd import api, build_api
from moc_meter.conf import keystone
from moc_meter.tests.contract.fakes import FakeStore
from moc_meter.tests.functional.api.wiring import Outbox


def options(tmp_path: Path, content: str) -> Any:
    file = tmp_path / 'x.conf'
    file.write_text(content)
    return conf.load('moc-meter-api', ['--config-file', str(file)])


@pytest.mark.parametrize('host', ['0.0.0.0', '::', '192.0.2.1'])
def test_who_asks_nobody_listens_on_loopback_only(tmp_path: Path, host: str
                                                  ) -> None:
    with pytest.raises(errors.InvalidConfiguration, match='loopback'):
        build_api.address(options(tmp_path, f'[api]\nhost = {host}\n'))


@pytest.mark.parametrize('more', [
    'insecure_listen_anywhere = true', 'auth_strategy = basic',
    'auth_strategy = keystone'])
def test_unless_that_is_wanted_or_callers_are_told_apart(
        tmp_path: Path, more: str) -> None:
    asked = options(tmp_path, f'[api]\nhost = 192.0.2.1\n{more}\n')
    assert build_api.address(asked) == ('192.0.2.1', 8777)


def test_a_wsgi_server_may_listen_anywhere(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidConfiguration, match='auth_strategy'):
        api.application(options(tmp_path, ''))


@pytest.mark.parametrize(('content', 'complaint'), [
    ('[api]\nauth_strategy = basic\n', 'users_file'),
    ('[api]\nauth_strategy = keystone\n', 'auth_url'),
    ('[oslo_policy]\npolicy_file = /no/such\n', '/no/such')])
def test_what_is_missing_is_named(tmp_path: Path, content: str,
                                  complaint: str) -> None:
    asked = options(tmp_path, content)
    with pytest.raises(errors.InvalidConfiguration, match=complaint):
        build_api.application(asked, None, None)    # type: ignore[arg-type]


def test_every_option_of_keystone_is_one_of_its_library() -> None:
    [(section, known)] = opts.list_auth_token_opts()
    names = {option.dest for option in known} | {
        option.dest for way in ('password', 'v3applicationcredential')
        for option in loading.get_auth_plugin_conf_options(way)}
    assert section == keystone.SECTION
    assert {option.dest for option in keystone.OPTIONS} <= names


def test_the_tools_of_the_policy_library_find_the_rules(
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conf, 'load', lambda *_: conf_without_files)
    assert build_api.enforcer().registered_rules.keys() == {
        rule.name for rule in policy.list_rules()}


@pytest.mark.parametrize(('more', 'status'), [
    ('', 403), ('host = evil.test', 200),
    ('insecure_listen_anywhere = true', 200), ('behind_proxy = true', 200)])
def test_who_asks_nobody_is_called_by_its_own_name_only(
        tmp_path: Path, more: str, status: int) -> None:
    application = build_api.application(
        options(tmp_path, f'[api]\n{more}\n'), FakeStore(), Outbox())
    answer = webob.Request.blank('/', headers={
        'Host': 'evil.test'}).get_response(application)
    assert answer.status_int == status


conf_without_files = conf.load('moc-meter-api', [], files=[])
