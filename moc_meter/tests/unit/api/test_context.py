# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from moc_meter import errors
from moc_meter.api import context
from moc_meter.api.context import Caller, Credentials

LIMITED = Caller(project_id='p', user_id='u', sees_all=False,
                 service_url='http://here')
NOBODY = dataclasses.replace(LIMITED, project_id=None)
MANAGER = dataclasses.replace(NOBODY, domain_projects=frozenset(('p', 'q')))
AGENT = dataclasses.replace(NOBODY, posts_for_others=True)


def test_a_limited_caller_sees_the_own_project() -> None:
    assert LIMITED.visible_projects() == frozenset('p')


def test_a_manager_sees_the_projects_of_the_domain() -> None:
    assert MANAGER.visible_projects() == frozenset(('p', 'q'))


def test_an_empty_domain_shows_nothing() -> None:
    empty = dataclasses.replace(NOBODY, domain_projects=frozenset())
    assert empty.visible_projects() == frozenset()


def test_whoever_sees_all_is_not_limited() -> None:
    assert dataclasses.replace(
        LIMITED, sees_all=True).visible_projects() is None


def test_a_limited_caller_without_a_project_sees_nothing() -> None:
    with pytest.raises(errors.Forbidden):
        NOBODY.visible_projects()


@pytest.mark.parametrize('named', ['q', 'None', 'P', 'p ', '', None])
def test_naming_any_other_project_is_not_authorized(named: str | None) -> None:
    with pytest.raises(errors.NotAuthorized) as refusal:
        LIMITED.check_named(named)
    assert str(refusal.value) == f'Not Authorized to access project {named}'


def test_samples_are_posted_to_the_own_project() -> None:
    assert LIMITED.may_post_to('p')
    assert not any(map(LIMITED.may_post_to, ('q', '', None)))


def test_an_agent_posts_to_any_project_and_to_none() -> None:
    AGENT.check_posts()
    assert all(map(AGENT.may_post_to, ('p', 'q', None)))


def test_who_has_no_project_posts_nothing() -> None:
    for caller in (NOBODY, MANAGER):
        with pytest.raises(errors.Forbidden):
            caller.check_posts()


def test_posting_directly_is_another_right() -> None:
    LIMITED.check_posts()
    with pytest.raises(errors.Forbidden):
        LIMITED.check_posts(direct=True)


def test_what_is_written_into_a_request_is_read_from_it() -> None:
    caller = Credentials(user_id='u', project_id='p', domain_id='d',
                         system_scope='all', roles=frozenset(('a', 'b')))
    environ: dict[str, Any] = {}
    context.write(environ, caller)
    assert context.read(environ) == caller


def test_nothing_that_a_client_wrote_of_itself_is_left() -> None:
    environ = {'HTTP_X_ROLES': 'admin', 'HTTP_X_PROJECT_ID': 'p',
               'HTTP_X_USER_ID': 'u', 'HTTP_X_DOMAIN_ID': 'd',
               'HTTP_OPENSTACK_SYSTEM_SCOPE': 'all'}
    context.write(environ, Credentials())
    assert context.read(environ) == Credentials()


@pytest.mark.parametrize(('roles', 'all_of_them'), [
    ((), ''), (('reader',), 'reader'), (('Member',), 'member reader'),
    (('member', 'x'), 'member reader x'),
    (('admin',), 'admin manager member reader'), (('service',), 'service')])
def test_a_role_implies_those_below_it(
        roles: tuple[str, ...], all_of_them: str) -> None:
    assert context.implied(roles) == set(all_of_them.split())
