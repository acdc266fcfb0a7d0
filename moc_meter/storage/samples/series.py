# SPDX-License-Identifier: Apache-2.0
"""Numbering of series: what the samples themselves said."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import sqlalchemy as sa

from moc_meter.model.sample import Sample
from moc_meter.storage import engine as transactions
from moc_meter.storage import numbering
from moc_meter.storage.cache import Numbers
from moc_meter.storage.tables import samples as tables

_FIELDS = ('source', 'meter', 'kind', 'unit', 'resource_id', 'project_id',
           'user_id')
#: The parts of a sample's series. The hash of an enumeration's member takes
#: longer than that of its text.
parts = operator.attrgetter(
    *('kind._value_' if name == 'kind' else name for name in _FIELDS))


def numbers(engine: sa.Engine, cache: Numbers[tuple[Any, ...]],
            samples: Sequence[Sample]) -> list[int]:
    """The number of each sample's series, in order.

    New ones are numbered in a transaction of their own: an unused number
    does no harm, and a cached one is never rolled back.
    """
    def ask(keys: AbstractSet[tuple[Any, ...]]
            ) -> dict[tuple[Any, ...], int]:
        wanted = {numbering.digest(key): key for key in keys}
        rows = {digest: dict(zip(_FIELDS, key, strict=True))
                for digest, key in wanted.items()}
        numbered, _ = transactions.transact(
            engine, lambda conn: numbering.number(conn, tables.series, rows))
        return {wanted[digest]: number
                for digest, number in numbered.items()}

    return cache.find([*map(parts, samples)], ask)
