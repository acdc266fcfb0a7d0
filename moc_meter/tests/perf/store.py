# SPDX-License-Identifier: Apache-2.0
"""T1: storing batches, beside the fastest way to write anything at all."""

from __future__ import annotations

import contextlib
import datetime
import itertools
import json
from collections.abc import Iterator

import psycopg

from moc_meter.model.sample import Sample
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.tests.perf import cloud
from moc_meter.tests.perf.frame import (
    Bound,
    Figure,
    Setting,
    Side,
    Target,
    alternate,
    peers,
)
from moc_meter.tests.servers.postgresql import PostgreSQL
from moc_meter.tests.stores import migrated

#: Samples of a turn, of a batch of ours, and of a COPY of the reference.
_TURN, _BATCH, _COPIED = 20_000, 1000, 10_000
#: When the first one is recorded: after all of them.
_NOW = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)

_WIDE = """CREATE TABLE wide (
    source text, message_id text, timestamp timestamptz, meter text,
    kind text, unit text, volume numeric, resource_id text,
    project_id text, user_id text, metadata text)"""
_ESCAPED = str.maketrans({'\\': r'\\', '\t': r'\t', '\n': r'\n'})


class _Ours:
    """SampleStore.write, as the collector calls it."""

    def __init__(self, url: str, turns: Iterator[list[Sample]]) -> None:
        self._turns = turns
        self._now = _NOW
        self._batches: list[list[Sample]] = []
        self._stack = contextlib.ExitStack()
        self._store = SqlSampleStore(self._stack.enter_context(
            migrated(url)))
        self.close = self._stack.close

    def ready(self) -> None:
        self._batches = cloud.batches(next(self._turns), _BATCH)

    def turn(self) -> int:
        stored = 0
        for batch in self._batches:
            stored += self._store.write(batch, self._now).stored
            self._now += datetime.timedelta(seconds=1)
        return stored


class Copy:
    """COPY of ready text into a table without an index."""

    def __init__(self, url: str, turns: Iterator[list[Sample]]) -> None:
        self._turns = turns
        self._texts: list[bytes] = []
        self._conn = psycopg.connect(url.replace('+psycopg', ''))
        self._conn.execute(_WIDE)
        self._conn.commit()
        self.close = self._conn.close

    def ready(self) -> None:
        self._texts = [''.join(map(_line, batch)).encode() for batch
                       in cloud.batches(next(self._turns), _COPIED)]

    def turn(self) -> int:
        copied = 0
        for text in self._texts:
            with self._conn.cursor() as cursor:
                with cursor.copy('COPY wide FROM STDIN') as copy:
                    copy.write(text)
                copied += cursor.rowcount
            self._conn.commit()
        return copied


def _line(one: Sample) -> str:
    return '\t'.join(
        r'\N' if value is None else str(value).translate(_ESCAPED)
        for value in (
            one.source, one.message_id, one.timestamp, one.meter,
            one.kind.value, one.unit, one.volume, one.resource_id,
            one.project_id, one.user_id, json.dumps(one.metadata))) + '\n'


def _turns() -> Iterator[list[Sample]]:
    made = cloud.samples()
    return iter(lambda: list(itertools.islice(made, _TURN)), [])


def _figures(setting: Setting) -> list[Figure]:
    with PostgreSQL(durable=True, buffers='512MB') as server:
        first, second = itertools.tee(_turns())
        with (contextlib.closing(_Ours(server.create_database(), first)
                                 ) as ours,
              contextlib.closing(Copy(server.create_database(), second)
                                 ) as copy):
            return alternate(
                [Side(name='stored', unit='samples/s', ready=ours.ready,
                      turn=ours.turn),
                 Side(name='COPY', unit='samples/s', ready=copy.ready,
                      turn=copy.turn),
                 *peers('T1', None, setting)], setting)


T1 = Target(
    name='T1', figures=_figures,
    title='store batches of 1000: each once, with rollups and marks',
    bounds=[Bound(of='stored', by='COPY', least=0.45),
            Bound(of='stored', by="Ceilometer's driver", least=70)])
