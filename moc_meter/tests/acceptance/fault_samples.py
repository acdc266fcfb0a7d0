# SPDX-License-Identifier: Apache-2.0
"""The samples of a made-up world, by number; and what became of them."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from moc_meter.cmd.truth import over_bus
from moc_meter.model.sample import Sample
from moc_meter.storage import engine as transactions
from moc_meter.storage.samples import details
from moc_meter.storage.tables import samples as tables
from moc_meter.truth import forms
from moc_meter.truth.world import World

#: Samples of a message; the last of a world may have fewer.
SIZE = 100
#: More than 100,000 samples: of a day of 23 hours, with names in many
#: scripts, counters that wrap, and volumes that no double can tell.
WORLD = World(251, 'instances=40,days=2,step=120', decimals=True)


def message(number: int) -> list[Sample]:
    """Of the world, in order of time; then of others like it, for ever."""
    world, place = divmod(number, messages())
    some = _samples(world)[place * SIZE:(place + 1) * SIZE]
    return [*map(over_bus.sample, some)]


def messages() -> int:
    """How many the world is."""
    return -(-len(_samples(0)) // SIZE)


@functools.cache
def _samples(number: int) -> list[forms.Sample]:
    """Of the world; of number 1 on, of one that differs by its source."""
    source = f'{WORLD.source}-{number}' if number else WORLD.source
    return list(World(WORLD.seed, WORLD.scale, decimals=WORLD.decimals,
                      source=source).samples())


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
    return (one.timestamp, one.meter, one.resource_id, one.volume,
            one.message_id, one.key, one.source, one.kind, one.unit,
            one.project_id, one.user_id, _spelled(one.metadata),
            one.interval, one.counter_start, one.sequence, one.rounded)


def _kept(engine: sa.Engine) -> list[tuple[Any, ...]]:
    """What _told() says, of the rows as they are."""
    kept, series = tables.sample, tables.series
    content = tables.resource_metadata
    rows = sa.select(kept, series, content.c.content).select_from(
        kept.join(series, kept.c.series_id == series.c.id)
        .join(content, kept.c.metadata_id == content.c.id))
    with transactions.reading(engine) as conn:
        return [(row.timestamp, row.meter, row.resource_id, row.volume,
                 row.message_id or row.key.hex, row.key, row.source, row.kind,
                 row.unit, row.project_id, row.user_id,
                 _respelled(row.content), *_detailed(row.details))
                for row in conn.execute(rows)]


def _detailed(kept: str | None) -> tuple[Any, ...]:
    said = details.unpack(kept)
    return (said.get('interval'), said.get('counter_start'),
            said.get('sequence'), said.get('rounded', False))


def _spelled(metadata: object) -> str:
    return json.dumps(metadata, sort_keys=True)


@functools.lru_cache(1000)
def _respelled(content: str) -> str:
    return _spelled(json.loads(content))


def _some(those: Counter[tuple[Any, ...]]) -> tuple[Any, ...]:
    return (those.total(), *sorted(those, key=repr)[:3]) if those else ()
