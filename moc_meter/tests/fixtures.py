# SPDX-License-Identifier: Apache-2.0
"""Fixtures of what the functional tests run on.

The servers live as long as the session and start when the first test asks
for them; what a test stores lives as long as the test. A test that kills or
stops a server makes one of its own, since other tests use these.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from moc_meter.tests.servers.keystone import Keystone
from moc_meter.tests.servers.libvirtd import Libvirtd
from moc_meter.tests.servers.mariadb import MariaDB
from moc_meter.tests.servers.postgresql import PostgreSQL
from moc_meter.tests.servers.rabbitmq import RabbitMQ


@pytest.fixture(scope='session')
def postgresql_server() -> Iterator[PostgreSQL]:
    with PostgreSQL() as server:
        yield server


@pytest.fixture(scope='session')
def mariadb_server() -> Iterator[MariaDB]:
    with MariaDB() as server:
        yield server


@pytest.fixture(scope='session')
def rabbitmq_server() -> Iterator[RabbitMQ]:
    with RabbitMQ() as server:
        yield server


@pytest.fixture(scope='session')
def libvirtd_server() -> Iterator[Libvirtd]:
    with Libvirtd() as server:
        yield server


@pytest.fixture(scope='session')
def keystone_server() -> Iterator[Keystone]:
    with Keystone() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql_server: PostgreSQL) -> Iterator[str]:
    """An empty database; dropped afterwards, whoever is connected still."""
    url = postgresql_server.create_database()
    yield url
    postgresql_server.drop_database(url)


@pytest.fixture
def mariadb_url(mariadb_server: MariaDB) -> Iterator[str]:
    """An empty database; dropped afterwards, whoever is connected still."""
    url = mariadb_server.create_database()
    yield url
    mariadb_server.drop_database(url)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """An empty database in a file, as the installed service has it."""
    return f'sqlite:///{tmp_path / "meter.sqlite"}'


@pytest.fixture(params=['sqlite', 'postgresql', 'mariadb'])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database of each kind; only the asked server is started."""
    url: str = request.getfixturevalue(f'{request.param}_url')
    return url


@pytest.fixture
def amqp_url(rabbitmq_server: RabbitMQ) -> str:
    """A vhost of RabbitMQ that no other test uses."""
    return rabbitmq_server.create_vhost()
