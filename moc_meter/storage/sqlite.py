# SPDX-License-Identifier: Apache-2.0
"""What SQLite is taught: exact decimals, and to keep what it promised.

SQLite has no decimals. They are kept as text of scale 9; comparisons go
through the collation ``quantity``, sums and additions through functions
that call model/quantity.py. The sum of squares is text of scale 18.
"""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from typing import Any

from moc_meter.model import quantity

_SETTINGS = (
    'PRAGMA busy_timeout = 5000',
    'PRAGMA journal_mode = WAL',
    # Acknowledged is durable: NORMAL may lose commits with the power.
    'PRAGMA synchronous = FULL',
    'PRAGMA foreign_keys = ON',
    'PRAGMA temp_store = MEMORY',
)


def prepare(connection: sqlite3.Connection, _record: object) -> None:
    """Make a new connection ours; SQLAlchemy's event ``connect``."""
    connection.isolation_level = None       # engine.py says BEGIN itself
    for setting in _SETTINGS:
        connection.execute(setting)
    connection.create_collation('quantity', _compare)
    connection.create_function('quantity_add', 2, _add, deterministic=True)
    connection.create_aggregate('quantity_sum', 1, _Sum)
    connection.create_aggregate('quantity_squares', 1, _Squares)


def text(value: Decimal) -> str:
    """A quantity as SQLite keeps it: scale 9, and zero without a sign."""
    return format(value if value else Decimal(0), '.9f')


def _compare(one: str, other: str) -> int:
    a, b = Decimal(one), Decimal(other)
    return (a > b) - (a < b)


def _add(one: str | None, other: str | None) -> str | None:
    if one is None or other is None:
        return None
    return text(quantity.add(Decimal(one), Decimal(other)))


class _Sum:
    """The exact sum of texts; NULL where there is none, as SQL has it."""

    def __init__(self) -> None:
        self._total: Decimal | None = None

    # Any: the stubs of sqlite3 know aggregates of integers only.
    def step(self, value: Any) -> None:
        if value is not None:
            self._total = quantity.add(self._total or Decimal(0),
                                       self._term(Decimal(value)))

    def finalize(self) -> Any:
        # As many fractional digits as came in: squares have 18.
        return None if self._total is None else format(self._total, 'f')

    @staticmethod
    def _term(value: Decimal) -> Decimal:
        return value


class _Squares(_Sum):
    """The exact sum of the squares."""

    @staticmethod
    def _term(value: Decimal) -> Decimal:
        return quantity.multiply(value, value)


