# SPDX-License-Identifier: Apache-2.0

import pytest

from moc_meter import errors
from moc_meter.api import context


def caller(**headers: str) -> context.Caller:
    return context.caller({name.replace('_', '-'): value
                           for name, value in headers.items()}, 'http://here')


@pytest.mark.parametrize('headers', [
    {}, {'X_Roles': ''}, {'X_Project_Id': ''},
    {'X_Roles': 'admin'}, {'X_Roles': 'member, Admin', 'X_Project_Id': 'p'},
])
def test_an_admin_or_one_without_role_and_project_sees_all(
        headers: dict[str, str]) -> None:
    assert caller(**headers).visible_projects() is None


@pytest.mark.parametrize('headers', [
    {'X_Project_Id': 'p'}, {'X_Project_Id': 'p', 'X_Roles': 'member'},
    {'X_Project_Id': 'p', 'X_Roles': 'administrator'},
])
def test_everybody_else_sees_the_own_project(headers: dict[str, str]) -> None:
    assert caller(**headers).visible_projects() == frozenset('p')


def test_a_limited_caller_without_a_project_sees_nothing() -> None:
    with pytest.raises(errors.Forbidden):
        caller(X_Roles='member').visible_projects()


@pytest.mark.parametrize('named', ['q', 'None', 'P', 'p ', '', None])
def test_naming_any_other_project_is_not_authorized(named: str | None) -> None:
    with pytest.raises(errors.NotAuthorized) as refusal:
        caller(X_Project_Id='p').check_named(named)
    assert str(refusal.value) == f'Not Authorized to access project {named}'
