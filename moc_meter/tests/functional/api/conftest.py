# SPDX-License-Identifier: Apache-2.0
"""The API in process, over a real store and a bus that can be away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from moc_meter.storage.samples.base import SampleStore
from moc_meter.tests.functional.api import wiring
from moc_meter.tests.functional.api.cloud import Cloud
from moc_meter.tests.servers.keystone import Keystone


@pytest.fixture
def store(sqlite_url: str) -> Iterator[SampleStore]:
    with wiring.store(sqlite_url) as made:
        yield made


@pytest.fixture
def every_store(database_url: str) -> Iterator[SampleStore]:
    """A store on each of the databases."""
    with wiring.store(database_url) as made:
        yield made


@pytest.fixture
def outbox() -> wiring.Outbox:
    return wiring.Outbox()


@pytest.fixture
def api(store: SampleStore, outbox: wiring.Outbox) -> Any:
    return wiring.client(store, outbox)


@pytest.fixture(scope='session')
def cloud(keystone_server: Keystone) -> Cloud:
    """People and projects; whoever needs others adds them."""
    return Cloud(keystone_server)
