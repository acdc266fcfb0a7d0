# SPDX-License-Identifier: Apache-2.0
"""T11: dropping a day by its partition, beside deleting the same rows.

The reference is as easy as can be made for it: it deletes all that one
partition has, and vacuums nothing else. Days of two sets are dropped, of
which one has ten times as many rows a day.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import threading
from collections.abc import Iterator

import psycopg

from moc_meter.model import period
from moc_meter.model.query import RetentionLevel
from moc_meter.storage import engine as transactions
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.tests.perf import data
from moc_meter.tests.perf.frame import (
    Bound,
    Figure,
    Setting,
    Side,
    Target,
    alternate,
    milliseconds,
)

#: At most: each turn needs days of its own, which take longer to load.
_TURNS = 3
#: Each sample so many times more, some microseconds later.
_AGAIN = """
INSERT INTO sample (series_id, timestamp, key, volume, metadata_id,
                    recorded_at)
SELECT series_id, timestamp + number, gen_random_uuid(), volume, metadata_id,
       recorded_at
FROM sample, generate_series(1, %s) AS number ORDER BY timestamp, number"""


class _Days:
    """Days of one set go from its beginning, or are deleted from its end."""

    def __init__(self, url: str, days: int, again: int) -> None:
        """again: how many more times each sample is there."""
        shape = dataclasses.replace(data.SIZES['10M'], days=days)
        self._engine = transactions.make_engine(url)
        data.load(self._engine, shape)
        self._store = SqlSampleStore(self._engine)
        self._conn = psycopg.connect(url.replace('+psycopg', ''),
                                     autocommit=True)
        self._conn.execute(_AGAIN, [again])
        self._conn.execute('VACUUM ANALYZE sample')
        self._begin = data.START
        self._end = data.START + shape.days * period.DAY

    def close(self) -> None:
        self._conn.close()
        self._engine.dispose()

    def drop(self) -> int:
        """As the job of retention does."""
        self._begin += period.DAY
        gone = self._store.expire(
            RetentionLevel.SAMPLES, self._begin,
            datetime.datetime.now(datetime.UTC), 'benchmark',
            threading.Event())
        assert gone
        return 1

    def delete(self) -> int:
        self._end -= period.DAY
        gone = self._conn.execute(
            'DELETE FROM sample WHERE timestamp >= %s',
            [period.microseconds(self._end)]).rowcount
        assert gone
        self._conn.execute(f'VACUUM sample_p{self._end:%Y%m%d}')
        return 1


@contextlib.contextmanager
def _sets(setting: Setting) -> Iterator[dict[str, _Days]]:
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(contextlib.closing(
            _Days(setting.databases.empty(), 2 * (setting.turns + 1) + 1,
                  again))) for name, again in (('few', 0), ('many', 9))}


def _figures(setting: Setting) -> list[Figure]:
    setting = dataclasses.replace(
        setting, turns=min(setting.turns, _TURNS))
    with _sets(setting) as sets:
        return alternate([
            Side(name=f'{deed}, {name} rows', unit='ms', turn=turn,
                 figure=milliseconds)
            for name, days in sets.items()
            for deed, turn in (('dropped', days.drop),
                               ('DELETE and VACUUM', days.delete))], setting)


T11 = Target(
    name='T11', figures=_figures,
    title='dropping a day of 346,800 samples, and one of 34,680',
    bounds=[
        Bound(of='DELETE and VACUUM, many rows', by='dropped, many rows',
              least=5),
        # Ten times the rows.
        Bound(of='dropped, many rows', by='dropped, few rows', most=1.5)])
