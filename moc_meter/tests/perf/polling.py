# SPDX-License-Identifier: Apache-2.0
"""T4: polled samples until they can be asked for over HTTP.

What comes is one sample of every series, then the next of each, as pollers
see them; nobody waits from one round to the next, so that who can store
several rounds at once may do so. A turn ends when a question over HTTP is
answered with all of it, to the last digit.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from moc_meter.model import period
from moc_meter.model.sample import Sample
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.tests.perf import data
from moc_meter.tests.perf.data import Shape, Told
from moc_meter.tests.perf.frame import (
    Bound,
    Figure,
    Setting,
    Side,
    Target,
    alternate,
    peers,
)
from moc_meter.tests.perf.web import Client, Web, statistics
from moc_meter.tests.servers.base import ServerFailed
from moc_meter.tests.stores import migrated

_SHAPE = Shape(projects=10, instances=20, volumes=0)
#: Rounds of one turn of ours.
_ROUNDS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One sample of every series, and what all so far come to."""

    samples: list[Sample]
    count: int
    sum: Fraction


def rounds(every: list[Told]) -> Iterator[Round]:
    """Without an end."""
    at, count, total = period.microseconds(data.START), 0, Fraction(0)
    while True:
        samples = [one.sample(at) for one in every]
        at += every[0].cadence
        count += len(samples)
        total += sum(Fraction(one.volume) for one in samples)
        yield Round(samples=samples, count=count, sum=total)


class _Ours:
    """The store, and the API beside it."""

    def __init__(self, store: SqlSampleStore, web: Web,
                 made: Iterator[Round]) -> None:
        self._store, self._made = store, made
        self._client = Client(web)
        self._next: list[Round] = []

    def ready(self) -> None:
        self._next = [next(self._made) for _ in range(_ROUNDS)]

    def turn(self) -> int:
        stored = sum(
            self._store.write(each.samples, datetime.datetime.now(
                datetime.UTC)).stored for each in self._next)
        [said] = self._client.items(statistics(data.METER))
        self._client.close()     # or it would hold one of the processes
        last = self._next[-1]
        if (said['count'], Fraction(said['sum'])) != (last.count, last.sum):
            raise ServerFailed(f'{said} instead of {last.count}')
        return stored


def _figures(setting: Setting) -> list[Figure]:
    every = data.told(_SHAPE)
    url = setting.databases.empty()
    with migrated(url) as engine, Web(url, kept=True) as web:
        ours = _Ours(SqlSampleStore(engine), web, rounds(every))
        return alternate([
            Side(name='until ours answers', unit='samples/s',
                 ready=ours.ready, turn=ours.turn),
            *peers('T4', every, setting)], setting)


T4 = Target(
    name='T4', figures=_figures,
    title='polled samples, in the order of polling, until they can be asked '
          'for',
    bounds=[Bound(of='until ours answers', by='Gnocchi', least=25)])
