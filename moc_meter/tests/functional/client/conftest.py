# SPDX-License-Identifier: Apache-2.0
"""What the clients are tested against."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from moc_meter.client import Client
from moc_meter.tests.functional.client import cli_world, serving
from moc_meter.tests.functional.client.cli_world import Typing, World


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests is nobody to them."""
    for name in ('OS_CLOUD', 'OS_AUTH_TYPE', 'OS_AUTH_URL', 'OS_USERNAME',
                 'OS_PASSWORD'):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope='module')
def service(tmp_path_factory: pytest.TempPathFactory
            ) -> Iterator[serving.Service]:
    """An API with the worked example, shared by the tests of a module."""
    with serving.service(tmp_path_factory.mktemp('service')) as made:
        yield made


@pytest.fixture(scope='module')
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """What commands ask, shared by the tests of a module."""
    with cli_world.world(tmp_path_factory.mktemp('world')) as made:
        yield made


@pytest.fixture
def asked(world: World, capsys: pytest.CaptureFixture[str]) -> Typing:
    return Typing(*world, capsys)


@pytest.fixture
def client(service: serving.Service) -> Iterator[Client]:
    """An administrator of project p1."""
    with service.client() as made:
        yield made
