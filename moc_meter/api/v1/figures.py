# SPDX-License-Identifier: Apache-2.0
"""Volume and duration of a meter in a scope: what a bill is made of."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from wsme import types as wtypes

from moc_meter import errors
from moc_meter.api.context import Caller
from moc_meter.api.v1.narrowing import NARROWED, Narrowing, selection
from moc_meter.api.v2 import types
from moc_meter.api.v2.representation import expose
from moc_meter.model import period, quantity, statistics
from moc_meter.model.query import Field, Selection, StatisticsQuestion
from moc_meter.model.statistics import Statistics
from moc_meter.storage.samples.base import SampleStore

#: The figures, and what each is where there is no sample.
VOLUMES: Mapping[str, Decimal | None] = {
    'sum': Decimal(0), 'avg': None, 'max': None}
_SECOND = datetime.timedelta(seconds=1) // period.MICROSECOND


class Volume(wtypes.Base):              # type: ignore[misc]
    """A figure of the volumes of so many samples."""

    volume = types.NUMBER
    unit = wtypes.text
    count = int
    start = types.TIMESTAMP
    end = types.TIMESTAMP


class Duration(wtypes.Base):            # type: ignore[misc]
    """For how long resources were seen, in seconds."""

    duration = types.NUMBER
    start = types.TIMESTAMP
    end = types.TIMESTAMP
    count = int


class Figures:
    """Of the samples of a meter in a scope with start <= t < end."""

    def __init__(self, *, store: SampleStore) -> None:
        self._store = store

    @expose(Volume, NARROWED, rule='compute_statistics')
    def volume(self, caller: Caller, noun: str, name: str, meter: str,
               figure: str, narrowed: Narrowing) -> Volume:
        """Their sum, mean or greatest; figure: one of VOLUMES."""
        rows = self._store.statistics(StatisticsQuestion(
            selection=selection(narrowed, caller, (noun, name), meter)))
        if len(rows) > 1:
            raise errors.InvalidQuery(
                f'The meter {meter} has several units here: '
                f'{sorted(row.unit for row in rows)}. Narrow the question, '
                'by source, project, user, resource, start or end')
        found = rows[0].statistics if rows else None
        return Volume(
            volume=VOLUMES[figure] if found is None else _of(found, figure),
            unit=rows[0].unit if rows else None,
            **_about(narrowed, found))

    @expose(Duration, NARROWED, rule='compute_statistics')
    def duration(self, caller: Caller, noun: str, name: str, meter: str,
                 narrowed: Narrowing) -> Duration:
        """The time between the oldest and the newest, summed by resource."""
        resources = self._by_resource(
            selection(narrowed, caller, (noun, name), meter))
        total = quantity.total(
            Decimal((one.last - one.first) // period.MICROSECOND)
            for one in resources)
        return Duration(duration=types.nearest(total / _SECOND),
                        **_about(narrowed, statistics.merge(resources)))

    def _by_resource(self, selected: Selection) -> Sequence[Statistics]:
        """Of each resource, whatever the units of its samples."""
        found: dict[str | None, Statistics] = {}
        for row in self._store.statistics(StatisticsQuestion(
                selection=selected, group_by=(Field.RESOURCE,))):
            resource = row.group[Field.RESOURCE.value]
            known = found.get(resource)
            found[resource] = (known + row.statistics if known
                               else row.statistics)
        return list(found.values())


def _of(found: Statistics, figure: str) -> Decimal:
    match figure:
        case 'sum':
            return found.sum
        case 'avg':
            return types.nearest(statistics.mean(found.sum, found.count))
    return found.max


def _about(narrowed: Narrowing, found: Statistics | None) -> dict[str, Any]:
    """The range that was asked for; else the first and the last sample."""
    return {'start': narrowed.start or (found and found.first),
            'end': narrowed.end or (found and found.last),
            'count': found.count if found else 0}
