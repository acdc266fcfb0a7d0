# SPDX-License-Identifier: Apache-2.0
"""T8: statistics for many who ask; T9: for a thousand at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from moc_meter.tests.perf import ingest
from moc_meter.tests.perf.asking import one_project
from moc_meter.tests.perf.frame import (
    Bound,
    Figure,
    Setting,
    Side,
    Target,
    alternate,
    peers,
)
from moc_meter.tests.perf.progress import say
from moc_meter.tests.perf.web import Load, Web, load

FEW, MANY = 16, 1000
#: Seconds that a few ask, and many, who must come to rest first.
_SECONDS, _LONG = 3, 8
#: Of a thousand, at most.
_TURNS = 3


class Server(Protocol):
    """What can be asked over HTTP, and the processes that answer."""

    def url(self, path: str) -> str: ...

    @property
    def pids(self) -> Sequence[int]: ...


def asked(name: str, web: Server, path: str) -> Side:
    """The side of a few who ask one server as fast as it answers."""
    url = web.url(path)

    def turn() -> int:
        answered = load(url, FEW, _SECONDS)
        if answered.errors:
            raise RuntimeError(f'{answered.errors} errors from {url}')
        return round(answered.rate * _SECONDS)

    return Side(name=name, unit='requests/s', turn=turn,
                figure=lambda done, _: done / _SECONDS,
                pids=lambda: web.pids)


def _few(setting: Setting) -> list[Figure]:
    loaded = setting.databases.of(setting.usual_rows)
    path = one_project(loaded)
    with Web(loaded.url) as web, Web(loaded.url, constant=True) as bare:
        return alternate([asked('statistics', web, path),
                          asked('without database', bare, path),
                          *peers('T8', loaded, setting)], setting)


T8 = Target(
    name='T8', figures=_few, title='statistics of a project for 16 who ask',
    bounds=[Bound(of='statistics', by='without database', least=0.5),
            Bound(of='statistics', by='Ceilometer', least=20)])


def _many(setting: Setting) -> Iterator[Figure]:
    loaded = setting.databases.of(setting.usual_rows)
    url = setting.databases.copy(loaded)
    with Web(url) as web:
        path = web.url(one_project(loaded))
        load(path, FEW, _SECONDS)
        turns = [_turn(url, loaded.size, path, turn)
                 for turn in range(min(setting.turns, _TURNS))]
    yield from _come_to(turns)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """What came of one after the other.

    alone, beside: samples a second that were stored while nobody asked, and
        while many did.
    """

    few: Load
    many: Load
    alone: float
    with_ingest: Load
    beside: float


def _turn(url: str, size: str, path: str, number: int) -> _Turn:
    few, many = load(path, FEW, _LONG), load(path, MANY, _LONG)
    with ingest.process(url, size, 2 * number, _LONG) as writer:
        alone = ingest.rate(writer, lambda: None)
    with_ingest: list[Load] = []
    with ingest.process(url, size, 2 * number + 1, _LONG) as writer:
        beside = ingest.rate(writer, lambda: with_ingest.append(
            load(path, MANY, _LONG)))
    say(f'turn {number + 1}')
    return _Turn(few=few, many=many, alone=alone, beside=beside,
                 with_ingest=with_ingest[0])


def _come_to(turns: Sequence[_Turn]) -> Iterator[Figure]:
    # Of them all: a median would forgive those of a turn.
    yield Figure(name='errors', unit='errors', values=[sum(
        one.errors for turn in turns
        for one in (turn.few, turn.many, turn.with_ingest))])
    for name, unit, of in _FIGURES:
        yield Figure(name=name, unit=unit, values=[*map(of, turns)])


_FIGURES: Sequence[tuple[str, str, Callable[[_Turn], float]]] = (
    ('rate at 16', 'requests/s', lambda turn: turn.few.rate),
    ('rate at 1,000', 'requests/s', lambda turn: turn.many.rate),
    ('p50 at 1,000', 'ms', lambda turn: turn.many.p50),
    ('p99 at 1,000', 'ms', lambda turn: turn.many.p99),
    ('rate at 1,000 beside ingest', 'requests/s',
     lambda turn: turn.with_ingest.rate),
    ('p99 at 1,000 beside ingest', 'ms', lambda turn: turn.with_ingest.p99),
    ('ingest', 'samples/s', lambda turn: turn.alone),
    ('ingest beside 1,000', 'samples/s', lambda turn: turn.beside))
T9 = Target(
    name='T9', figures=_many,
    title='a thousand who ask at once, and samples that are stored meanwhile',
    bounds=[Bound(of='errors', most=0),
            Bound(of='rate at 1,000', by='rate at 16', least=0.85),
            Bound(of='p99 at 1,000', by='p50 at 1,000', most=1.5),
            Bound(of='p99 at 1,000', most=1000),
            Bound(of='ingest beside 1,000', by='ingest', least=0.9)])
