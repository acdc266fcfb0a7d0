# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import bcrypt
import pytest
import webob

from moc_meter import errors
from moc_meter.api import context, identity

FORGED = {'X-Roles': 'admin', 'X-Project-Id': 'p9', 'X-User-Id': 'root',
          'X-Domain-Id': 'd', 'OpenStack-System-Scope': 'all'}


def who(environ: dict[str, Any], start: Callable[..., Any]
        ) -> Iterable[bytes]:
    """An application that says whom it was told of."""
    found = context.read(environ)
    answer: Iterable[bytes] = webob.Response(json.dumps({
        name: getattr(found, name) for name in (
            'user_id', 'project_id', 'domain_id', 'system_scope')
    } | {'roles': sorted(found.roles)}))(environ, start)
    return answer


def ask(application: identity.Application, headers: Mapping[str, str],
        path: str = '/v2/meters') -> Any:
    return webob.Request.blank(path, headers=dict(headers)).get_response(
        application)


def line(name: str, password: str, rest: str) -> str:
    kept = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
    return f'{name}:{kept}:{rest}\n'


def written(tmp_path: Path, *lines: str) -> Path:
    file = tmp_path / 'users'
    file.write_text('# people\n\n' + ''.join(lines))
    return file


@pytest.fixture
def basic(tmp_path: Path) -> identity.Application:
    return identity.Basic(who, identity.Users(written(
        tmp_path, line('ann', 'word', 'p1:member'),
        line('bill', 'w:\u00f6rd', ':Admin, x'))))


def proof(given: str) -> dict[str, str]:
    return {'Authorization': 'Basic '
            + base64.b64encode(given.encode()).decode()}


def test_a_user_of_the_file_has_its_project_and_roles(
        basic: identity.Application) -> None:
    for _ in range(2):          # by bcrypt, then by what is known of it
        assert ask(basic, proof('ann:word')).json == {
            'user_id': 'ann', 'project_id': 'p1', 'domain_id': None,
            'system_scope': None, 'roles': ['member', 'reader']}


def test_a_password_may_have_colons_and_any_letters(
        basic: identity.Application) -> None:
    found = ask(basic, proof('bill:w:\u00f6rd')).json
    assert (found['project_id'], found['roles']) == (
        None, ['admin', 'manager', 'member', 'reader', 'x'])


@pytest.mark.parametrize('headers', [
    {}, proof('ann:wrong'), proof('ann'), proof('ann:'), proof(':'),
    proof('nobody:word'), proof('ann:' + 'x' * 100), proof('ann:\0'),
    {'Authorization': 'Bearer word'}, {'Authorization': 'Basic !'},
    {'Authorization': 'Basic gA=='}, {'Authorization': ''}])
def test_nobody_else_is_let_in_whatever_they_pretend(
        basic: identity.Application, headers: dict[str, str]) -> None:
    answer = ask(basic, FORGED | headers)
    assert answer.status_int == 401
    assert answer.headers['WWW-Authenticate'].startswith('Basic ')
    assert answer.json['error_message']['faultcode'] == 'Client'


def test_a_wrong_password_is_wrong_after_a_right_one(
        basic: identity.Application) -> None:
    ask(basic, proof('ann:word'))
    assert ask(basic, proof('ann:wrong')).status_int == 401


def test_what_a_user_pretends_counts_for_nothing(
        basic: identity.Application) -> None:
    assert ask(basic, FORGED | proof('ann:word')).json['project_id'] == 'p1'
    found = ask(basic, FORGED | proof('bill:w:\u00f6rd')).json
    assert (found['project_id'], found['domain_id'],
            found['system_scope']) == (None, None, None)


@pytest.mark.parametrize('path', ['/', ''])
def test_the_versions_are_shown_to_nobody_in_particular(
        basic: identity.Application, path: str) -> None:
    found = ask(basic, FORGED, path).json
    assert (found['user_id'], found['roles']) == (None, [])


@pytest.mark.parametrize('path', ['//', '/v2', '/.', '/v2/', '/%2F'])
def test_nothing_else_is_shown(basic: identity.Application, path: str
                               ) -> None:
    assert ask(basic, {}, path).status_int == 401


@pytest.mark.parametrize('content', [
    'ann\n', 'ann:word\n', 'ann:nonsense:p1:member\n',
    line('ann', 'word', 'p1'), line('ann', 'word', 'p1:'),
    line('', 'word', 'p1:member'), line('ann', 'w', 'p:a') * 2])
def test_a_line_that_names_nobody_is_refused(tmp_path: Path, content: str
                                             ) -> None:
    with pytest.raises(errors.InvalidConfiguration, match='line='):
        identity.Users(written(tmp_path, content))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidConfiguration, match='no-such'):
        identity.Users(tmp_path / 'no-such')


@pytest.mark.parametrize(('headers', 'project', 'roles'), [
    ({}, None, 'admin manager member reader'),
    ({'X-Roles': '', 'X-Project-Id': ''}, None,
     'admin manager member reader'),
    ({'X-Project-Id': 'p'}, 'p', 'member reader'),
    ({'X-Project-Id': 'p', 'X-Roles': 'reader'}, 'p', 'reader'),
    ({'X-Project-Id': 'p', 'X-Roles': 'Admin, x'}, 'p',
     'admin manager member reader x'),
    ({'X-Roles': 'member'}, None, 'member reader')])
def test_without_a_door_everybody_is_believed(
        headers: dict[str, str], project: str | None, roles: str) -> None:
    found = ask(identity.noauth(who), headers)
    assert found.json['project_id'] == project
    assert found.json['roles'] == roles.split()


@pytest.mark.parametrize(('host', 'status'), [
    ('localhost', 200), ('LocalHost:8777', 200), ('127.0.0.1:8777', 200),
    ('127.9.9.9', 200), ('[::1]:8777', 200), ('meter.test', 200), ('', 200),
    ('evil.test', 403), ('evil.test:8777', 403), ('localhost.evil.test', 403),
    ('192.0.2.1', 403), ('[::2]', 403), ('[', 403), ('@', 403),
    ('127.0.0.1@evil.test', 403), ('evil.test/@localhost', 403)])
def test_without_a_door_only_who_calls_it_by_its_name_is_believed(
        host: str, status: int) -> None:
    called = {'Host': host}
    assert ask(identity.noauth(who, ('meter.test',)), called
               ).status_int == status
    assert ask(identity.noauth(who), called).status_int == 200
