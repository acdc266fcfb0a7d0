# SPDX-License-Identifier: Apache-2.0
"""moc-meter-all-in-one --demo: a research cloud that can be asked.

Three institutions and the year 2025, made up by the truth generator: always
the same. It goes the way of every sample, over the bus to the collector.
"""

from __future__ import annotations

import itertools
import shlex
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from moc_meter import errors
from moc_meter.cmd.greeting import ask, command, say
from moc_meter.cmd.truth.over_bus import sample
from moc_meter.messaging import codec
from moc_meter.messaging.base import Sender
from moc_meter.model.pause import pauses
from moc_meter.model.query import Field, Selection, StatisticsQuestion
from moc_meter.progress import Progress
from moc_meter.storage.samples.base import SampleStore
from moc_meter.truth.forms import Sample
from moc_meter.truth.world import World

#: The options of moc-meter truth that name the same world.
SEED, SCALE, SOURCE = 2025, 'demo', 'demo'
#: Samples that one transaction stores.
_BATCH = 3000

Rows = list[dict[str, Any]]


class Demonstration:
    """Loads the cloud where it is not there, and says what to ask of it."""

    def __init__(self, url: str, state_dir: str, sender: Sender,
                 store: SampleStore) -> None:
        """url: of the API; sender: to the collector that fills the store."""
        self._url = url
        self._state_dir = state_dir
        self._sender = sender
        self._store = store

    def run(self, stop: threading.Event) -> None:
        """It may be stopped in the middle; the next start goes on."""
        say(f'moc_meter listens on {self._url}',
            f'Its data lie in {self._state_dir}')
        world = World(SEED, SCALE, source=SOURCE)
        count = sum(1 for _ in world.samples())
        if self._stored() != count:
            begun = time.monotonic()
            say(f'A research cloud of {len(world.facts.institutions)} '
                f'institutions is being loaded: {count:,} samples of a year.')
            self._load(world, count, stop)
            if stop.is_set():
                return
            say(f'It took {time.monotonic() - begun:.0f} s.')
        self._show(world, count)

    def _stored(self) -> int:
        """Samples of the cloud that are there; the rollups know it."""
        rows = self._store.statistics(StatisticsQuestion(
            selection=Selection(series=((Field.SOURCE, SOURCE),))))
        return sum(row.statistics.count for row in rows)

    def _load(self, world: World, count: int, stop: threading.Event) -> None:
        with Progress(count) as progress:
            for batch in _batches(world.samples()):
                message = codec.encode(map(sample, batch))
                for pause in pauses():
                    try:
                        self._sender.send(message)
                        break
                    except errors.BusUnavailable:
                        if stop.wait(pause):
                            return
                if stop.is_set():
                    return
                progress.advance(len(batch))

    def _show(self, world: World, count: int) -> None:
        """Questions of a newcomer, ready to be pasted, with their answers."""
        say('', f'A research cloud is there to be asked: {count:,} samples of '
                f'{len(world.facts.projects)} projects, the year 2025.')
        for words, path, answer in _QUESTIONS:
            say(f'{words}: {answer(ask(self._url, path))}',
                f'  curl {shlex.quote(self._url + path)}')
        name = f'--seed {SEED} --scale {SCALE} --source {SOURCE}'
        say('Check that every figure is right:',
            f'  {command("moc-meter")} truth check {name} --url {self._url}',
            'Ctrl-C stops it; the next start finds the cloud there.')


def _batches(samples: Iterator[Sample]) -> Iterator[list[Sample]]:
    while batch := list(itertools.islice(samples, _BATCH)):
        yield batch


def _means(rows: Rows) -> str:
    """The mean of each project."""
    return ', '.join(f'{row["groupby"]["project_id"]} {row["avg"]:.0f}'
                     for row in rows)


def _weeks(rows: Rows) -> str:
    return (f'{len(rows)} weeks, {rows[0]["sum"]:.0f} in the first and '
            f'{max(row["sum"] for row in rows):.0f} at most')


def _sizes(rows: Rows) -> str:
    [row] = rows
    return f'{row["max"]} {row["unit"]} the largest, {row["avg"]:.1f} in mean'


_MARCH = ('q.field=timestamp&q.op=ge&q.value=2025-03-01T00:00:00&'
          'q.field=timestamp&q.op=lt&q.value=2025-04-01T00:00:00')
_OURS = f'q.field=source&q.op=eq&q.value={SOURCE}'
#: What a newcomer may ask: in words, in a URL, and how the answer is told.
_QUESTIONS: tuple[tuple[str, str, Callable[[Rows], str]], ...] = (
    ('Memory that instances used in March, MiB in mean, by project',
     (f'/v2/meters/memory.usage/statistics?{_OURS}&{_MARCH}'
      '&groupby=project_id'), _means),
    ('Requests to a web service, week by week',
     f'/v2/meters/web.requests/statistics?{_OURS}&period=604800', _weeks),
    ('Volumes of project genomics',
     (f'/v2/meters/volume.size/statistics?{_OURS}'
      '&q.field=project_id&q.op=eq&q.value=genomics'), _sizes))
