# SPDX-License-Identifier: Apache-2.0
"""What every destination promises; see collector/dispatcher/base.py."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from moc_meter import errors
from moc_meter.collector.dispatcher.base import Dispatcher
from moc_meter.collector.dispatcher.storage import StorageDispatcher
from moc_meter.model import query
from moc_meter.model.query import Outcome
from moc_meter.model.sample import MeterKind, Refused, Sample
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.contract.fakes import FakeDispatcher, FakeStore
from moc_meter.tests.stores import migrated

NOW = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
BAD = Refused(content=b'\xff\0', code='moc_meter.sample.invalid',
              reason='no volume', origin='agent notification')


def sample(number: int) -> Sample:
    return Sample(source='region-1', message_id=f'm-{number}', timestamp=NOW,
                  meter='vcpus', kind=MeterKind.GAUGE, unit='vcpu',
                  volume=Decimal(number) / 10, resource_id='i-1')


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A dispatcher, and how its far side is looked at and taken away."""

    dispatcher: Dispatcher
    samples: Callable[[], Sequence[Sample]]
    quarantined: Callable[[], int]
    leave: Callable[[], object]
    come_back: Callable[[], object]


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


@pytest.fixture(params=[fake, fake_store, storage],
                ids=['fake', 'storage-fake', 'storage'])
def destination(request: pytest.FixtureRequest, tmp_path: Path
                ) -> Iterator[Destination]:
    yield from request.param(tmp_path)


def test_what_is_dispatched_is_kept(destination: Destination) -> None:
    written = destination.dispatcher.dispatch(
        [sample(n) for n in range(20)], NOW)
    assert written.stored == 20
    assert sorted(destination.samples(), key=lambda one: one.volume) == [
        sample(n) for n in range(20)]


def test_what_is_dispatched_again_is_kept_once(destination: Destination
                                               ) -> None:
    destination.dispatcher.dispatch([sample(1), sample(2)], NOW)
    written = destination.dispatcher.dispatch(
        [sample(3), sample(2), sample(1), sample(3)], NOW)
    assert written.outcomes == (
        Outcome.STORED, *(Outcome.DUPLICATE,) * 3)
    assert len(destination.samples()) == 3


def test_what_is_quarantined_again_is_kept_once(destination: Destination
                                                ) -> None:
    destination.dispatcher.quarantine([BAD, BAD], NOW)
    destination.dispatcher.quarantine([BAD], NOW)
    assert destination.quarantined() == 1


def test_while_it_is_away_everything_can_be_tried_again(
        destination: Destination) -> None:
    dispatcher = destination.dispatcher
    dispatcher.ping()
    destination.leave()
    deeds: list[Callable[[], object]] = [
        dispatcher.ping, lambda: dispatcher.dispatch([sample(1)], NOW),
        lambda: dispatcher.quarantine([BAD], NOW)]
    for deed in deeds:
        with pytest.raises(errors.MeterError) as fault:
            deed()
        assert fault.value.retryable
    destination.come_back()
    for deed in deeds:
        deed()
    assert destination.samples() == [sample(1)]
    assert destination.quarantined() == 1
