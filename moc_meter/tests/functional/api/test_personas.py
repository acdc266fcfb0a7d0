# SPDX-License-Identifier: Apache-2.0
"""Everybody asks everything: nobody is let in who should not be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from moc_meter.api import keystone, policy
from moc_meter.api.identity import Application
from moc_meter.storage.samples.base import SampleStore
from moc_meter.tests.functional.api import wiring
from moc_meter.tests.functional.api.cloud import Cloud
from moc_meter.tests.functional.api.personas import (
    PERSONAS,
    TokenTable,
    domains,
)
from moc_meter.tests.functional.api.questions import ROWS, House, routes

#: Who has a token.
_KNOWN = [name for name, persona in PERSONAS.items() if persona.role]


@pytest.fixture(scope='module')
def by_table(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Behind a door that knows the personas."""
    with wiring.store(_sqlite(tmp_path_factory)) as store:
        house = House(
            api=wiring.client(store, identity=TokenTable,
                              policy=wiring.unchanged_policy(domains)),
            store=store, ids={name: name for name in ('p1', 'p2', 'p3')},
            tokens={name: name for name in _KNOWN},
            users={name: name for name in _KNOWN})
        house.fill()
        yield house


@pytest.fixture(scope='module')
def by_keystone(tmp_path_factory: pytest.TempPathFactory,
                cloud: Cloud) -> Iterator[House]:
    """Behind a real Keystone."""
    settings = cloud.settings(token_cache_time=300)
    directory = keystone.Directory(settings, lambda: wiring.NOW)
    with wiring.store(_sqlite(tmp_path_factory)) as store:
        house = House(
            api=wiring.client(
                store, identity=cloud.door(token_cache_time=300),
                policy=wiring.unchanged_policy(directory.projects)),
            store=store,
            ids={name: cloud.projects[name] for name in ('p1', 'p2', 'p3')},
            users={name: _user(cloud, name) for name in _KNOWN},
            tokens={name: _token(cloud, name) for name in _KNOWN})
        house.fill()
        yield house


def _user(cloud: Cloud, name: str) -> str:
    role, place, _ = _placed(cloud, name)
    return cloud.user(name, role, place)


def _token(cloud: Cloud, name: str) -> str:
    return cloud.token(name, _placed(cloud, name)[2])


def _placed(cloud: Cloud, name: str) -> tuple[str, str, object]:
    """The role, where it is had, and the scope of a token for it."""
    persona = PERSONAS[name]
    place, scope = {
        'project': (f'/projects/{cloud.projects["p1"]}',
                    {'project': {'id': cloud.projects['p1']}}),
        'domain': (f'/domains/{cloud.domains["institute"]}',
                   {'domain': {'id': cloud.domains['institute']}}),
        'system': ('/system', {'system': {'all': True}})}[persona.scope]
    return str(persona.role), place, scope


def _sqlite(folder: pytest.TempPathFactory) -> str:
    return f'sqlite:///{folder.mktemp("personas") / "meter.sqlite"}'


@pytest.fixture(params=['by_table', 'by_keystone'])
def house(request: pytest.FixtureRequest) -> House:
    found: House = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize('route', ROWS)
@pytest.mark.parametrize('persona', PERSONAS)
def test_everybody_is_answered_with_what_is_theirs(
        house: House, persona: str, route: str) -> None:
    ROWS[route](house, persona)


@pytest.fixture
def tree(store: SampleStore) -> list[tuple[str, Any]]:
    """Verb and controller of every route of the API."""
    behind: list[Any] = []

    def door(application: Application) -> Application:
        behind.append(application)
        return application

    wiring.client(store, identity=door)
    [pecan] = behind
    return list(routes(vars(pecan.root)))


def test_every_route_has_its_row(tree: list[tuple[str, Any]]) -> None:
    assert sorted(f'{verb} {controller.__qualname__}'
                  for verb, controller in tree) == sorted(ROWS)


def test_every_rule_is_one_of_a_route(tree: list[tuple[str, Any]]) -> None:
    asked = {f'telemetry:{controller.rule}' for _, controller in tree
             if controller.rule}
    # What somebody may post who may post.
    more = {f'telemetry:create_samples_{how}'
            for how in ('for_others', 'directly')}
    assert asked | more == {
        rule.name for rule in policy.list_rules()
        if rule.name.startswith('telemetry:')}
