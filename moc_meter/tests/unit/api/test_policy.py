# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from moc_meter import errors
from moc_meter.api import context, policy
from moc_meter.api.context import Caller, Credentials

READING = ('get_meters', 'get_samples', 'get_sample', 'query_sample',
           'compute_statistics', 'get_resources', 'get_resource')


def domains(domain_id: str, _: Any) -> frozenset[str]:
    return {'d': frozenset(('p', 'q'))}[domain_id]


def asks(rule: str | None, caller: Credentials,
         rules: policy.Policy | None = None) -> Caller:
    environ: dict[str, Any] = {}
    context.write(environ, caller)
    rules = rules or policy.Policy(policy.enforcer(None), domains)
    return rules.caller(rule, environ, 'http://here')


def who(*roles: str, **scope: str) -> Credentials:
    return Credentials(user_id='u', roles=context.implied(roles), **scope)


def from_file(tmp_path: Path, content: str) -> policy.Policy:
    file = tmp_path / 'policy.yaml'
    file.write_text(content)
    return policy.Policy(policy.enforcer(file), domains)


@pytest.mark.parametrize('caller', [
    who('admin'), who('admin', project_id='p'),
    who('admin', system_scope='all'), who('reader', system_scope='all')])
def test_admins_and_readers_of_the_system_see_all(caller: Credentials
                                                  ) -> None:
    for rule in READING:
        assert asks(rule, caller).visible_projects() is None


@pytest.mark.parametrize('role', ['reader', 'member', 'manager'])
def test_who_has_a_role_in_a_project_sees_the_project(role: str) -> None:
    for rule in READING:
        assert asks(rule, who(role, project_id='p')
                    ).visible_projects() == frozenset('p')


@pytest.mark.parametrize('role', ['manager', 'admin'])
def test_who_manages_a_domain_sees_its_projects(role: str) -> None:
    for rule in READING:
        caller = asks(rule, who(role, domain_id='d'))
        assert caller.visible_projects() == frozenset(('p', 'q'))


@pytest.mark.parametrize('caller', [
    who(), who('service'), who('reader'), who('member'), who('manager'),
    who('nonsense', project_id='p'), who(project_id='p'),
    who('service', project_id='p'), who('reader', domain_id='d'),
    who('member', domain_id='d'), who('service', system_scope='all')])
def test_nobody_else_reads(caller: Credentials) -> None:
    for rule in READING:
        with pytest.raises(errors.Forbidden):
            asks(rule, caller)


@pytest.mark.parametrize(('caller', 'others'), [
    (who('admin', project_id='p'), True), (who('service', project_id='s'),
                                           True),
    (who('admin', system_scope='all'), True),
    (who('member', project_id='p'), False),
    (who('manager', project_id='p'), False)])
def test_who_posts_and_for_whom(caller: Credentials, others: bool) -> None:
    made = asks('create_samples', caller)
    assert (made.posts_for_others, made.posts_directly) == (others, True)


@pytest.mark.parametrize('caller', [
    who('reader', project_id='p'), who('reader', system_scope='all'),
    who('manager', domain_id='d'), who('admin', domain_id='d'),
    who('member'), who(project_id='p')])
def test_nobody_else_posts(caller: Credentials) -> None:
    with pytest.raises(errors.Forbidden):
        asks('create_samples', caller)


def test_a_controller_without_a_rule_is_for_everybody() -> None:
    assert not asks(None, who()).sees_all


def test_a_rule_of_a_file_takes_the_place_of_the_built_in_one(
        tmp_path: Path) -> None:
    rules = from_file(tmp_path, '"telemetry:create_samples_directly": "!"\n'
                                '"telemetry:get_meters": "role:auditor"\n')
    caller = asks('create_samples', who('admin', project_id='p'), rules)
    assert not caller.posts_directly
    asks('get_meters', who('auditor', project_id='p'), rules)
    with pytest.raises(errors.Forbidden):
        asks('get_meters', who('reader', project_id='p'), rules)


def test_a_file_that_lets_everybody_read_shows_nobody_foreign_rows(
        tmp_path: Path) -> None:
    rules = from_file(tmp_path, '"telemetry:get_meters": ""\n')
    with pytest.raises(errors.Forbidden):
        asks('get_meters', who('member'), rules).visible_projects()
    assert asks('get_meters', who(project_id='p'), rules
                ).visible_projects() == frozenset('p')


def test_segregation_decides_who_sees_all(tmp_path: Path) -> None:
    rules = from_file(tmp_path, '"segregation": "role:auditor"\n')
    seen = asks('get_meters', who('auditor', project_id='p'), rules)
    assert seen.visible_projects() is None
    assert asks('get_meters', who('admin', project_id='p'), rules
                ).visible_projects() == frozenset('p')


@pytest.mark.parametrize(('content', 'complaint'), [
    ('"telemetry:get_metres": ""\n', 'telemetry:get_metres'),
    ('"segregation": "rule:nonsense"\n', 'segregation'),
    ('nonsense: [\n', 'policy')])
def test_a_wrong_file_is_refused(tmp_path: Path, content: str,
                                 complaint: str) -> None:
    with pytest.raises(errors.InvalidConfiguration, match=complaint):
        from_file(tmp_path, content)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidConfiguration, match='no-such'):
        policy.enforcer(tmp_path / 'no-such')


def test_every_rule_says_what_it_is_for_and_in_which_scope() -> None:
    for rule in policy.list_rules():
        assert rule.description
        assert rule.scope_types
