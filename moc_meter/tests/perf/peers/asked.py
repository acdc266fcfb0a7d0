# SPDX-License-Identifier: Apache-2.0
"""Questions to Ceilometer's API, of the samples that ours is asked about.

A question is measured only if both answer the same.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from moc_meter.tests.perf.asking import ASKED, GROWING, one_project
from moc_meter.tests.perf.databases import Loaded
from moc_meter.tests.perf.frame import Side, milliseconds
from moc_meter.tests.perf.peers.services import Services
from moc_meter.tests.perf.progress import say
from moc_meter.tests.perf.size import sizes
from moc_meter.tests.perf.web import Client, Web

#: Seconds that a question is asked again and again in a turn; those that take
#: longer are asked once.
_SECONDS = 0.5
#: Turns of a list: Ceilometer asks its database about each resource of it.
_LISTED = 3
#: More than there are.
_ALL = 2000
_FIGURES = ('unit', 'period_start', 'duration_start', 'duration_end', 'count',
            'sum', 'min', 'max', 'avg')

#: What of an answer must be the same.
_Essence = Callable[[list[dict[str, Any]]], object]


def month(services: Services, loaded: Any) -> Iterator[Side]:
    return _sides(services, loaded, {
        f'Ceilometer: {name}': path(loaded) for name, path in ASKED.items()})


def growing(services: Services, loaded: Any) -> Iterator[Side]:
    return _sides(services, loaded, {
        f'Ceilometer: {name}, {loaded.size}': path(loaded)
        for name, (path, _) in GROWING.items()})


def _sides(services: Services, loaded: Loaded, paths: Mapping[str, str]
           ) -> Iterator[Side]:
    theirs = services.api(loaded, kept=True)
    with Web(loaded.url, kept=True) as ours:
        agreed = [name for name, path in paths.items()
                  if _agree(name, ours, theirs, path, _statistics)]
    for name in agreed:
        yield _side(name, theirs, paths[name])


def lists(services: Services, loaded: Any) -> Iterator[Side]:
    """A page of a list; all of it must have the same in both."""
    theirs = services.api(loaded, kept=True)
    with Web(loaded.url, kept=True) as ours:
        for name, keys in (('meters', ('resource_id', 'name')),
                           ('resources', ('resource_id',))):
            def named(said: list[dict[str, Any]],
                      keys: tuple[str, ...] = keys) -> object:
                return sorted([one[key] for key in keys] for one in said)

            side = f'Ceilometer: {name}'
            if _agree(side, ours, theirs, f'/v2/{name}?limit={_ALL}', named):
                yield dataclasses.replace(
                    _side(side, theirs, f'/v2/{name}?limit=100'),
                    most=_LISTED)


def few(services: Services, loaded: Any) -> Iterator[Side]:
    """A few who ask at once, as of ours."""
    from moc_meter.tests.perf.crowd import asked
    theirs = services.api(loaded, kept=False)
    path = one_project(loaded)
    with Web(loaded.url) as ours:
        agreed = _agree('Ceilometer', ours, theirs, path, _statistics)
    if agreed:
        yield asked('Ceilometer', theirs, path)


def size(services: Services, loaded: Any) -> Iterator[Side]:
    """What all of its tables and indexes take."""
    total = sum(map(sum, sizes(services.loaded(loaded)).values()))
    yield Side(name='Ceilometer', unit='B a sample',
               turn=lambda: round(total / loaded.shape.samples),
               figure=lambda done, _: done)


def _side(name: str, web: Web, path: str) -> Side:
    client = Client(web)

    def turn() -> int:
        end = time.monotonic() + _SECONDS
        times = 0
        while not times or time.monotonic() < end:
            client.get(path)
            times += 1
        client.close()      # or it would hold one of the server's processes
        return times

    return Side(name=name, unit='ms', ready=client.connect, turn=turn,
                figure=milliseconds)


def _agree(name: str, ours: Web, theirs: Web, path: str,
           essence: _Essence) -> bool:
    answers = []
    for web in (ours, theirs):
        with contextlib.closing(Client(web)) as client:
            answers.append(essence(client.items(path)))
    if answers[0] != answers[1]:
        say(f'{name}: differs, so it is not measured: {answers[0]!r:.300} '
            f'and {answers[1]!r:.300}')
    return answers[0] == answers[1]


def _statistics(said: list[dict[str, Any]]) -> object:
    """To nine digits: a mean of Ceilometer's is one of floats."""
    return sorted(
        [sorted((one['groupby'] or {}).items()),
         *(f'{one[name]:.9g}' if isinstance(one[name], float)
           else str(one[name]) for name in _FIGURES)] for one in said)
