# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from decimal import Decimal

import hypothesis
import pytest
from hypothesis import strategies as st

from moc_meter.model import quantity
from moc_meter.storage import sqlite

QUANTITIES = st.decimals(min_value=-10 ** 29, max_value=10 ** 29, places=9,
                         allow_nan=False)


@pytest.fixture(scope='module')
def conn() -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(':memory:')) as made:
        sqlite.prepare(made, None)
        made.execute('CREATE TABLE t (q VARCHAR(48) COLLATE quantity)')
        yield made


def filled(conn: sqlite3.Connection, values: list[Decimal]) -> None:
    conn.execute('DELETE FROM t')
    conn.executemany('INSERT INTO t VALUES (?)',
                     [(sqlite.text(value),) for value in values])


@hypothesis.given(st.lists(QUANTITIES))
def test_sums_and_order_are_exact(conn: sqlite3.Connection,
                                  values: list[Decimal]) -> None:
    filled(conn, values)
    total, squares, least, most = conn.execute(
        'SELECT quantity_sum(q), quantity_squares(q), min(q), max(q) '
        'FROM t').fetchone()
    ordered = [Decimal(q) for (q,) in conn.execute(
        'SELECT q FROM t ORDER BY q')]
    assert ordered == sorted(values)
    if values:
        assert Decimal(total) == quantity.total(values)
        assert Decimal(squares) == quantity.total(
            quantity.multiply(value, value) for value in values)
        assert (Decimal(least), Decimal(most)) == (min(values), max(values))
    else:
        assert total is None


@hypothesis.given(QUANTITIES, QUANTITIES)
def test_an_addition_is_exact(conn: sqlite3.Connection, one: Decimal,
                              other: Decimal) -> None:
    [found] = conn.execute('SELECT quantity_add(?, ?)', (
        sqlite.text(one), sqlite.text(other))).fetchone()
    assert Decimal(found) == quantity.add(one, other)


@hypothesis.given(QUANTITIES)
def test_the_text_of_a_quantity_loses_nothing(value: Decimal) -> None:
    assert Decimal(sqlite.text(value)) == value


def test_zero_has_no_sign() -> None:
    assert sqlite.text(Decimal('-0')) == '0.000000000'
