# SPDX-License-Identifier: Apache-2.0
"""A small machine: the all-in-one on SQLite with a million samples.

All but the last day are stored by the sample store, with the rollups and
marks of each batch; then the installed moc-meter-all-in-one is started on
them, told the last day over HTTP, and asked what T5 asks. What it has
resident is the most of all that.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from moc_meter.model.sample import Sample
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.tests.acceptance.system import Process, ask
from moc_meter.tests.perf import asking, cloud, data
from moc_meter.tests.perf.databases import Loaded
from moc_meter.tests.perf.export import resident
from moc_meter.tests.perf.frame import (
    Bound,
    Figure,
    Setting,
    Side,
    Target,
    alternate,
    milliseconds,
    say,
)
from moc_meter.tests.stores import migrated

_SIZE = '1M'
_POSTED, _TIMES = 500, 10
#: Times the figures of T5.
_SLOWER = 4


def _figures(setting: Setting) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f'sqlite:///{folder}/state/samples.sqlite'
        (folder / 'state').mkdir(mode=0o700)
        begun, samples = time.monotonic(), data.SIZES[_SIZE].samples
        last = _store(url)
        yield Figure(name='stored', unit='samples/s', values=[
            (samples - len(last)) / (time.monotonic() - begun)])
        starts = [_start(folder / f'start-{number}', folder / 'state')
                  for number in range(setting.turns)]
        yield Figure(name='start', unit='s', values=starts)
        with _all_in_one(folder / 'asked', folder / 'state') as process:
            begun = time.monotonic()
            for batch in cloud.batches(last, _POSTED):
                _post(process.url, batch)
            yield Figure(name='told over HTTP', unit='samples/s', values=[
                len(last) / (time.monotonic() - begun)])
            yield from _asked(process.url, url, setting)
            yield Figure(name='resident', unit='MiB', values=[
                resident(process.pid, 'VmHWM') / 1024])


def _store(url: str) -> list[Sample]:
    """All days but the last; what that one said."""
    days = data.SIZES[_SIZE].days
    with migrated(url) as engine:
        store = SqlSampleStore(engine)
        for number, (came, batch) in enumerate(
                data.batches(data.SIZES[_SIZE]), 1):
            if number == days:
                return batch
            store.write(batch, came)
            if not number % 100:
                say(f'{number} of {days} days are stored')
    raise AssertionError('there is no last day')


def _start(folder: Path, state: Path) -> float:
    """Seconds until it listens."""
    begun = time.monotonic()
    with _all_in_one(folder, state) as process:
        assert process.url
        return time.monotonic() - begun


@contextlib.contextmanager
def _all_in_one(folder: Path, state: Path) -> Iterator[Process]:
    with Process('moc-meter-all-in-one', '--port', '0', '--state-dir', state,
                 folder=folder) as process:
        yield process
        assert process.end() == 0, process.last_words


def _post(url: str, batch: list[Sample]) -> None:
    answer = ask(url, '/v2/ingest', body=json.dumps([
        _told(one) for one in batch]).encode())
    assert answer.status == 200, answer.body
    assert {one['status'] for one in json.loads(answer.body)} == {'stored'}


def _told(one: Sample) -> dict[str, Any]:
    return {'message_id': one.message_id, 'source': one.source,
            'counter_name': one.meter, 'counter_type': one.kind.value,
            'counter_unit': one.unit, 'counter_volume': str(one.volume),
            'resource_id': one.resource_id, 'project_id': one.project_id,
            'user_id': one.user_id, 'timestamp': one.timestamp.isoformat(),
            'resource_metadata': one.metadata}


def _asked(url: str, database: str, setting: Setting) -> list[Figure]:
    loaded = Loaded(url=database, size=_SIZE, shape=data.SIZES[_SIZE])

    def side(name: str, path: str) -> Side:
        def turn() -> int:
            for _ in range(_TIMES):
                answer = ask(url, path)
                assert answer.status == 200, answer.body
            return _TIMES
        return Side(name=name, unit='ms', turn=turn, figure=milliseconds)

    return alternate([side(name, path(loaded)) for name, path
                      in asking.ASKED.items()], setting)


SMALL = Target(
    name='small', figures=_figures,
    title='a small machine: the all-in-one on SQLite with a million samples',
    bounds=[
        Bound(of='start', most=3), Bound(of='resident', most=150),
        *(Bound(of=name, most=most * _SLOWER) for name, most in (
            ('one project', 3), ('by project', 10), ('period=3600', 20)))])
