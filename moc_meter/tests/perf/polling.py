# SPDX-License-Identifier: Apache-2.0
"""T4: polled samples until they can be asked for over HTTP.

What comes is one sample of every series, then the next of each, as pollers
see them; nobody waits from one round to the next, so that who can store
several rounds at once may do so. Ours sends them as messages that are signed
before the clock runs; an installed collector takes them from RabbitMQ, checks
and stores them in PostgreSQL. A turn ends when a question over HTTP is
answered with all of it, to the last digit.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from moc_meter.messaging import codec
from moc_meter.model import period
from moc_meter.model.sample import Sample
from moc_meter.tests.perf import cloud, data
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
from moc_meter.tests.perf.pipeline import (
    MESSAGE,
    Keys,
    Queue,
    Workers,
    servers,
)
from moc_meter.tests.perf.web import Client, Web, statistics
from moc_meter.tests.servers.base import ServerFailed

_SHAPE = Shape(projects=10, instances=20, volumes=0)
#: Rounds of one turn of ours.
_ROUNDS = 100


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
    """A queue, a collector that stores what is in it, and the API."""

    def __init__(self, keys: Keys, queue: Queue, workers: Workers, web: Web,
                 made: Iterator[Round]) -> None:
        self._keys, self._queue, self._workers = keys, queue, workers
        self._client, self._made = Client(web), made
        self._messages: list[bytes] = []
        self._last: Round | None = None

    def ready(self) -> None:
        some = [next(self._made) for _ in range(_ROUNDS)]
        self._messages = [
            codec.encode(batch, signer=self._keys.signer) for each in some
            for batch in cloud.batches(each.samples, MESSAGE)]
        self._last = some[-1]
        self._workers.expect(sum(len(each.samples) for each in some))

    def turn(self) -> int:
        self._queue.fill(self._messages)
        stored = self._workers.wait()
        [said] = self._client.items(statistics(data.METER))
        self._client.close()     # or it would hold one of the processes
        assert self._last
        if (said['count'], Fraction(said['sum'])) != (
                self._last.count, self._last.sum):
            raise ServerFailed(f'{said} instead of {self._last.count}')
        return stored


def _figures(setting: Setting) -> list[Figure]:
    every = data.told(_SHAPE)
    with servers() as (database, broker, folder), \
            contextlib.ExitStack() as stack:
        keys, bus = Keys(folder), broker.create_vhost()
        url = database.create_database()
        workers = Workers(folder / 'collector', keys, iter(()), bus=bus,
                          database=url, workers=1)
        stack.callback(workers.close)
        queue = stack.enter_context(contextlib.closing(Queue(bus)))
        ours = _Ours(keys, queue, workers,
                     stack.enter_context(Web(url, kept=True)), rounds(every))
        return alternate([
            Side(name='until ours answers', unit='samples/s',
                 ready=ours.ready, turn=ours.turn, pids=workers.pids),
            *peers('T4', every, setting)], setting)


T4 = Target(
    name='T4', figures=_figures,
    title='polled samples, in the order of polling, until they can be asked '
          'for',
    bounds=[Bound(of='until ours answers', by='Gnocchi', least=25)])
