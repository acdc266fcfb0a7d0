# SPDX-License-Identifier: Apache-2.0
"""What every destination promises, asked of ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from moc_meter.collector.dispatcher.storage import StorageDispatcher
from moc_meter.model import query
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.storage.tables import samples as tables
from moc_meter.testing.dispatcher import Destination, DispatcherSuite
from moc_meter.tests.contract.fakes import FakeDispatcher, FakeStore
from moc_meter.tests.stores import migrated


def fake(_folder: Path) -> Iterator[Destination]:
    dispatcher = FakeDispatcher()
    yield Destination(
        dispatcher=dispatcher,
        samples=lambda: list(dispatcher.samples.values()),
        quarantined=lambda: len(dispatcher.refused),
        leave=lambda: setattr(dispatcher, 'away', True),
        come_back=lambda: setattr(dispatcher, 'away', False))


def fake_store(_folder: Path) -> Iterator[Destination]:
    store = FakeStore()
    yield Destination(
        dispatcher=StorageDispatcher(store),
        samples=lambda: [one.sample for one in store.samples(
            query.Selection(), 1000)],
        quarantined=lambda: len(store.quarantined),
        leave=lambda: setattr(store, 'away', True),
        come_back=lambda: setattr(store, 'away', False))


def storage(folder: Path) -> Iterator[Destination]:
    """SQLite is away while its file is another folder's."""
    path, elsewhere = folder / 'in' / 'meter.sqlite', folder / 'out'
    path.parent.mkdir()
    with migrated(f'sqlite:///{path}') as engine:
        store = SqlSampleStore(engine)

        def leave() -> None:
            engine.dispose()
            path.parent.rename(elsewhere)

        def quarantined() -> int:
            with engine.connect() as conn:
                return len(conn.execute(sa.select(tables.quarantine)).all())

        yield Destination(
            dispatcher=StorageDispatcher(store),
            samples=lambda: [one.sample for one in store.samples(
                query.Selection(), 1000)],
            quarantined=quarantined, leave=leave,
            come_back=lambda: elsewhere.rename(path.parent))


class TestDispatchers(DispatcherSuite):
    """The one into the store, and a fake one."""

    @pytest.fixture(params=[fake, fake_store, storage],
                    ids=['fake', 'storage-fake', 'storage'])
    def destination(self, request: pytest.FixtureRequest, tmp_path: Path
                    ) -> Iterator[Destination]:
        yield from request.param(tmp_path)
