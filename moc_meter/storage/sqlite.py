# SPDX-License-Identifier: Apache-2.0
"""What SQLite is taught: exact decimals, and to keep what it promised.

SQLite has no decimals. They are kept as text of scale 9; comparisons go
through the collation ``quantity``, sums and additions through functions
that call model/quantity.py. The sum of squares is text of scale 18.
Regular expressions are RE2's: their time is linear in the text, where
Python's own could hold the whole process for ever.
"""

from __future__ import annotations

import functools
import sqlite3
import time
from decimal import Decimal
from typing import Any

import re2

from moc_meter.model import quantity

_SETTINGS = (
    'PRAGMA busy_timeout = 5000',
    'PRAGMA journal_mode = WAL',
    # Acknowledged is durable: NORMAL may lose commits with the power.
    'PRAGMA synchronous = FULL',
    'PRAGMA foreign_keys = ON',
    'PRAGMA temp_store = MEMORY',
)

#: In the info of a connection: until when its statement may run, by the
#: monotonic clock; None for ever.
UNTIL = 'moc_meter_until'
#: Steps of SQLite's machine between two looks at the clock; a few hundred
#: microseconds.
_STEPS = 10_000


def prepare(connection: sqlite3.Connection, _record: object) -> None:
    """Make a new connection ours; SQLAlchemy's event ``connect``."""
    connection.isolation_level = None       # engine.py says BEGIN itself
    for setting in _SETTINGS:
        connection.execute(setting)
    connection.create_collation('quantity', _compare)
    connection.create_function('quantity_add', 2, _add, deterministic=True)
    connection.create_function('text_matches', 2, _matches,
                               deterministic=True)
    connection.create_aggregate('quantity_sum', 1, _Sum)
    connection.create_aggregate('quantity_squares', 1, _Squares)


def limit(connection: sqlite3.Connection, record: Any) -> None:
    """End statements that run beyond UNTIL; SQLAlchemy's event ``connect``.

    SQLite has no time-out of its own, but asks us now and then.
    """
    said: dict[str, float | None] = record.info

    def is_late() -> bool:
        until = said.get(UNTIL)
        return until is not None and time.monotonic() > until

    connection.set_progress_handler(is_late, _STEPS)


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


def _matches(text: str | None, pattern: str) -> bool | None:
    if text is None:
        return None
    return _compiled(pattern).search(text) is not None


@functools.lru_cache(maxsize=100)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)


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


