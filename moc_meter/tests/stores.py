# SPDX-License-Identifier: Apache-2.0
"""What tests of the sample store are made of."""

from __future__ import annotations

import contextlib
import datetime
import functools
import tempfile
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from moc_meter.model import quantity
from moc_meter.model.query import RetentionLevel
from moc_meter.model.sample import MeterKind, Sample, derived_id
from moc_meter.storage import engine as transactions
from moc_meter.storage.samples.base import SampleStore
from moc_meter.storage.tables import samples as tables

NOW = datetime.datetime(2026, 3, 4, 12, tzinfo=datetime.UTC)
#: Ten minutes before the end of a day.
LATE = datetime.datetime(2026, 3, 1, 23, 50, tzinfo=datetime.UTC)


def sample(number: int = 0, **changes: Any) -> Sample:
    """Sample of a number: one a minute since LATE, three resources."""
    said: dict[str, Any] = {
        'source': 'region-1', 'message_id': derived_id('test', str(number)),
        'timestamp': LATE + number * datetime.timedelta(minutes=1),
        'meter': 'vcpus', 'kind': MeterKind.GAUGE, 'unit': 'vcpu',
        'volume': Decimal(number), 'resource_id': f'i-{number % 3}',
        'project_id': 'p-1', 'metadata': {'flavor': {'name': 'small'}}}
    return Sample(**said | changes)


@contextlib.contextmanager
def migrated(url: str, **options: Any) -> Iterator[sa.Engine]:
    """An engine of a database that has our schema."""
    engine = transactions.make_engine(url, **options)
    file = Path(engine.url.database or '')
    if engine.dialect.name == 'sqlite' and not file.exists():
        file.write_bytes(_empty_file())
        with engine.connect():
            pass        # as after a migration: one waits in the pool
    else:
        transactions.migrate(engine)
    yield engine
    engine.dispose()


@functools.cache
def _empty_file() -> bytes:
    """An empty database of SQLite: made once, since many tests want one."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / 'empty.sqlite'
        engine = transactions.make_engine(f'sqlite:///{file}')
        transactions.migrate(engine)
        engine.dispose()
        return file.read_bytes()


class StopAfter(threading.Event):
    """Is set once so many have looked at it."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self._left = looks

    def is_set(self) -> bool:
        self._left -= 1
        return self._left < 0


def expire(store: SampleStore, until: datetime.datetime,
           level: RetentionLevel = RetentionLevel.SAMPLES,
           now: datetime.datetime = NOW, by: str = 'test',
           stop: threading.Event | None = None) -> int:
    """Drop what is before an instant, and do not stop if not told so."""
    return store.expire(level, until, now, by, stop or threading.Event())


def count(engine: sa.Engine, table: sa.Table) -> int:
    with transactions.reading(engine) as conn:
        return conn.scalar(sa.select(sa.func.count())
                           .select_from(table)) or 0


def sums(engine: sa.Engine, table: sa.Table) -> Decimal:
    """The sum of all cells of a rollup."""
    with transactions.reading(engine) as conn:
        return quantity.total(conn.scalars(sa.select(table.c.sum)))


def everything(engine: sa.Engine) -> dict[str, list[Any]]:
    """What a store says, whatever numbers it gave and whenever it came."""
    series, metadata = tables.series, tables.resource_metadata
    said = [column for column in series.columns
            if column.name not in ('id', 'digest')]
    found = {}
    with transactions.reading(engine) as conn:
        for table in (tables.sample, tables.rollup_hour, tables.rollup_day,
                      tables.rollup_month, tables.span):
            joined = table.join(series, table.c.series_id == series.c.id)
            columns = [column for column in table.columns if column.name
                       not in ('series_id', 'metadata_id', 'recorded_at')]
            if 'metadata_id' in table.c:
                joined = joined.join(
                    metadata, table.c.metadata_id == metadata.c.id)
                columns.append(metadata.c.content)
            found[table.name] = sorted(map(repr, conn.execute(
                sa.select(*said, *columns).select_from(joined))))
    return found
