# SPDX-License-Identifier: Apache-2.0
"""T5: questions over a month; T6: the same as the store grows."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping

from moc_meter.tests.perf import data
from moc_meter.tests.perf.databases import Loaded
from moc_meter.tests.perf.frame import (
    Bound,
    Figure,
    Setting,
    Side,
    Target,
    alternate,
    milliseconds,
    peers,
)
from moc_meter.tests.perf.web import Client, Web, statistics

#: Times that a question is asked in a turn.
_TIMES = 60
_MONTH = (('timestamp', 'ge', data.MONTH[0].isoformat()),
          ('timestamp', 'lt', data.MONTH[1].isoformat()))


def one_resource(loaded: Loaded) -> str:
    return _of('resource_id', data.told(loaded.shape)[0].resource_id)


def one_project(loaded: Loaded) -> str:
    return _of('project_id', data.told(loaded.shape)[0].project_id)


def by_project(_loaded: Loaded) -> str:
    return statistics(data.METER, *_MONTH, groupby='project_id')


def by_hour(loaded: Loaded) -> str:
    return _of('project_id', data.told(loaded.shape)[0].project_id,
               period='3600')


def _of(field: str, value: str, **arguments: str) -> str:
    return statistics(data.METER, (field, 'eq', value), *_MONTH, **arguments)


def ask(name: str, web: Web, path: str) -> Side:
    """The side that asks one server for a path, over a connection a turn."""
    client = Client(web)

    def turn() -> int:
        for _ in range(_TIMES):
            client.get(path)
        client.close()      # or it would hold one of the server's processes
        return _TIMES

    return Side(name=name, unit='ms', turn=turn, figure=milliseconds,
                ready=client.connect, pids=lambda: web.pids)


def _questions(setting: Setting) -> list[Figure]:
    loaded = setting.databases.of(setting.usual_rows)
    with Web(loaded.url, kept=True) as web:
        return alternate([*(ask(f'ours: {name}', web, path(loaded))
                            for name, path in ASKED.items()),
                          *peers('T5', loaded, setting)], setting)


#: Questions of a month, by name.
ASKED: Mapping[str, Callable[[Loaded], str]] = {
    'one project': one_project, 'by project': by_project,
    'period=3600': by_hour}
T5 = Target(
    name='T5', figures=_questions,
    title='ask for a month over HTTP (what is promised is of 10M)',
    bounds=[bound for name, most, least in (
                ('one project', 3, 8), ('by project', 10, 50),
                ('period=3600', 20, 80))
            for bound in (
                Bound(of=f'ours: {name}', most=most),
                Bound(of=f'Ceilometer: {name}', by=f'ours: {name}',
                      least=least))])


def _growing(setting: Setting) -> list[Figure]:
    with contextlib.ExitStack() as stack:
        sides, touched = [], {}
        for size in setting.rows:
            loaded = setting.databases.of(size)
            web = stack.enter_context(Web(loaded.url, kept=True))
            for name, (path, count) in GROWING.items():
                side = ask(f'ours: {name}, {size}', web, path(loaded))
                touched[side.name] = f'ours: {name}, a series, {size}', count(
                    loaded)
                sides.append(side)
            sides += peers('T6', loaded, setting)
        figures = alternate(sides, setting)
    return [*figures, *(
        _divided(figure, *touched[figure.name]) for figure in figures
        if figure.name in touched)]


def _divided(figure: Figure, name: str, by: int) -> Figure:
    return Figure(name=name, unit='ms',
                  values=[value / by for value in figure.values])


#: Questions, and how many series they touch.
GROWING: Mapping[str, tuple[Callable[[Loaded], str],
                             Callable[[Loaded], int]]] = {
    'one resource': (one_resource, lambda _: 1),
    'one project': (one_project, lambda loaded: loaded.shape.instances),
    'by project': (by_project, lambda loaded: (
        loaded.shape.instances * loaded.shape.projects))}
T6 = Target(
    name='T6', figures=_growing,
    title='the same question as the store grows, by series touched',
    bounds=[Bound(of=f'ours: {name}, a series, 43M',
                  by=f'ours: {name}, a series, 1M', most=1.3)
            for name in GROWING])
