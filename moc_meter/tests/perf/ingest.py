# SPDX-License-Identifier: Apache-2.0
"""A process that stores samples at a steady rate, beside those who ask.

python -m moc_meter.tests.perf.ingest URL SIZE NUMBER SECONDS

It writes as a collector does. Says 'ready' once it has everything, begins
when its input has a line, and prints how many samples a second it stored:
RATE, unless it could not keep up. What it stores follows the samples of a set
of data.SIZES; NUMBER tells the runs on one database apart.
"""

from __future__ import annotations

import datetime
import itertools
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from moc_meter.model import period
from moc_meter.model.sample import Sample
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.tests.perf import cloud, data
from moc_meter.tests.stores import migrated

RATE = 2000
#: Samples of a batch.
_BATCH = 200


@contextmanager
def process(url: str, size: str, number: int, seconds: float
            ) -> Iterator[subprocess.Popen[str]]:
    """A process that is ready, see rate()."""
    with subprocess.Popen(
            [sys.executable, '-m', __name__, url, size, str(number),
             str(seconds)], text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == 'ready\n'
        yield writer


def rate(writer: subprocess.Popen[str], meanwhile: Callable[[], object]
         ) -> float:
    """Samples a second that it stored while something else was done."""
    assert writer.stdin is not None
    assert writer.stdout is not None
    writer.stdin.write('\n')
    writer.stdin.flush()
    meanwhile()
    return float(writer.stdout.read())


def main(url: str, size: str, number: str, seconds: str) -> None:
    batches = cloud.batches(itertools.islice(
        _samples(size, int(number)), int(RATE * float(seconds))), _BATCH)
    with migrated(url) as engine:
        store = SqlSampleStore(engine)
        store.write([], _now())
        print('ready', flush=True)
        sys.stdin.readline()
        begun = time.monotonic()
        stored = 0
        for place, batch in enumerate(batches):
            time.sleep(max(0, begun + place * _BATCH / RATE
                           - time.monotonic()))
            stored += store.write(batch, _now()).stored
        # The last batch has its share of the time, too.
        elapsed = max(time.monotonic() - begun, stored / RATE)
    print(stored / elapsed)


def _samples(size: str, number: int) -> Iterator[Sample]:
    """Those that follow the set, in order of time."""
    shape = data.SIZES[size]
    polled = [one for one in data.told(shape) if one.step]
    first = period.microseconds(
        data.START + (shape.days + 30 * number) * period.DAY)
    for at in itertools.count(first, polled[0].cadence):
        for one in polled:
            yield one.sample(at)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


if __name__ == '__main__':
    main(*sys.argv[1:])
