# SPDX-License-Identifier: Apache-2.0
"""The samples of a stream, by number; and what became of them in a store."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from moc_meter.model.sample import MeterKind, Sample, derived_id
from moc_meter.storage import engine as transactions
from moc_meter.storage.tables import samples as tables

#: Samples of a message.
SIZE = 100
_MARCH = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
_METERS = (('cpu', MeterKind.CUMULATIVE, 'ns'),
           ('memory.usage', MeterKind.GAUGE, 'MiB'),
           ('volume.size', MeterKind.GAUGE, 'GiB'),
           ('network.incoming.bytes', MeterKind.CUMULATIVE, 'B'))


def sample(number: int) -> Sample:
    """One every two seconds, from 160 series; no two have one volume."""
    name, kind, unit = _METERS[number % len(_METERS)]
    resource = number // len(_METERS) % 40
    return Sample(
        source='region-1', message_id=derived_id('stream', str(number)),
        timestamp=_MARCH + number * datetime.timedelta(seconds=2),
        meter=name, kind=kind, unit=unit, volume=volume(number),
        resource_id=f'instance-{resource}', project_id=f'p-{resource % 7}',
        user_id=f'u-{resource % 11}',
        metadata={'flavor': f'm{resource % 3}', 'host': f'h{number // 9999}'})


def volume(number: int) -> Decimal:
    """More digits than a double has."""
    return Decimal(f'{number * 7_777_777_777}.{number + 1:09}')


def message(number: int) -> list[Sample]:
    return [sample(place) for place in range(number * SIZE,
                                             (number + 1) * SIZE)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The first of those that are not as they were sent, and how many."""

    lost: tuple[Any, ...] = ()
    doubled: tuple[Any, ...] = ()

    @classmethod
    def between(cls, sent: Iterable[Sample], engine: sa.Engine
                ) -> Difference:
        """A changed sample is a lost one and a doubled one."""
        expected, found = Counter(map(_told, sent)), Counter(_kept(engine))
        return cls(lost=_some(expected - found),
                   doubled=_some(found - expected))


def _told(one: Sample) -> tuple[Any, ...]:
    return (one.key, one.volume, one.timestamp, one.meter, one.resource_id,
            one.project_id)


def _kept(engine: sa.Engine) -> list[tuple[Any, ...]]:
    kept, series = tables.sample, tables.series
    with transactions.reading(engine) as conn:
        return [tuple(row) for row in conn.execute(sa.select(
            kept.c.key, kept.c.volume, kept.c.timestamp, series.c.meter,
            series.c.resource_id, series.c.project_id).join_from(
                kept, series, kept.c.series_id == series.c.id))]


def _some(those: Counter[tuple[Any, ...]]) -> tuple[Any, ...]:
    return (those.total(), *sorted(those)[:3]) if those else ()
