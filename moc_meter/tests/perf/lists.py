# SPDX-License-Identifier: Apache-2.0
"""T7: a page of a list, however many samples there are."""

from __future__ import annotations

import contextlib

from moc_meter.tests.perf.asking import ask
from moc_meter.tests.perf.frame import (
    Bound,
    Figure,
    Setting,
    Side,
    Target,
    alternate,
    peers,
)
from moc_meter.tests.perf.web import Web

_LISTS = ('meters', 'resources', 'samples')
#: Of a page of ten times as many samples by one of these.
_FLAT = 1.3


def _figures(setting: Setting) -> list[Figure]:
    with contextlib.ExitStack() as stack:
        sides: list[Side] = []
        for size in dict.fromkeys((setting.rows[0], setting.usual_rows)):
            web = stack.enter_context(
                Web(setting.databases.of(size).url, kept=True))
            sides += [ask(f'ours: {name}, {size}', web,
                          f'/v2/{name}?limit=100') for name in _LISTS]
        sides += peers('T7', setting.databases.of(setting.usual_rows),
                       setting)
        return alternate(sides, setting)


T7 = Target(
    name='T7', figures=_figures, title='a page of 100 of a list over HTTP',
    bounds=[*(Bound(of=f'Ceilometer: {name}', by=f'ours: {name}, 10M',
                    least=80) for name in ('meters', 'resources')),
            *(Bound(of=f'ours: {name}, 10M', by=f'ours: {name}, 1M',
                    most=_FLAT) for name in _LISTS)])
