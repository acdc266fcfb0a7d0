# SPDX-License-Identifier: Apache-2.0
"""How large a world is."""

from __future__ import annotations

import dataclasses
import re
import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The numbers of a world; other things follow from these."""

    instances: int              # that ever are
    days: int                   # local days of the zone
    step: int                   # seconds between two polls
    projects: int
    institutions: int
    hosts: int
    meters: int                 # that are polled of a guest, 1..7
    changes: int                # in the life of an instance, about
    pushes: int                 # samples of each program
    #: Year in which the world begins, on 1 January; None: any day.
    year: int | None = None
    #: Of its accounting; None: any.
    zone: str | None = None
    #: Whether all names and units are as anybody expects them.
    plain: bool = False


_NUMBER = re.compile(r'\d{1,9}', re.ASCII)

SCALES: Mapping[str, Scale] = types.MappingProxyType({
    'small': Scale(instances=5, days=2, step=3600, projects=3,
                   institutions=2, hosts=3, meters=5, changes=5, pushes=12),
    'medium': Scale(instances=60, days=30, step=3600, projects=12,
                    institutions=3, hosts=12, meters=7, changes=8,
                    pushes=200),
    'demo': Scale(instances=52, days=365, step=6 * 3600, projects=12,
                  institutions=3, hosts=12, meters=4, changes=10, pushes=365,
                  year=2025, zone='America/New_York', plain=True),
    'large': Scale(instances=1000, days=365, step=2 * 3600, projects=60,
                   institutions=8, hosts=60, meters=7, changes=12,
                   pushes=3000, year=2025),
    'cloud': Scale(instances=10_000, days=1096, step=3600, projects=400,
                   institutions=20, hosts=300, meters=7, changes=15,
                   pushes=10_000, year=2023),
})


#: What is bearable of each number, and keeps a world in the past.
_BOUNDS: Mapping[str, tuple[int, int]] = types.MappingProxyType({
    'instances': (1, 100_000), 'days': (1, 1096), 'step': (1, 86_400),
    'projects': (1, 10_000), 'institutions': (1, 1000), 'hosts': (1, 10_000),
    'meters': (1, 7), 'changes': (1, 1000), 'pushes': (1, 1_000_000),
    'year': (1971, 2025)})


def scale(text: str) -> Scale:
    """One of SCALES by its name, or 'medium' with own numbers.

    text: 'small', or 'instances=50,days=30,step=600'. Raises ValueError.
    """
    if text in SCALES:
        return SCALES[text]
    numbers: dict[str, Any] = {}
    for part in text.split(','):
        name, equals, number = part.partition('=')
        if (not equals or name not in _BOUNDS
                or not _NUMBER.fullmatch(number)):
            raise ValueError(
                f'no such scale: {part!r}; there are {", ".join(SCALES)}, '
                f'and own numbers of {", ".join(sorted(_BOUNDS))}')
        numbers[name] = int(number)
        least, most = _BOUNDS[name]
        if not least <= numbers[name] <= most:
            raise ValueError(f'{name} of a scale is from {least} to {most}')
    if numbers.get('days', 30) > 366 * (2026 - numbers.get('year', 0)):
        raise ValueError('a scale of so many days ends before 2026 begins '
                         'only with an earlier year')
    return dataclasses.replace(SCALES['medium'], **numbers)
