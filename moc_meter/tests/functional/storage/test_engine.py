# SPDX-License-Identifier: Apache-2.0
"""Transactions: which are tried again, and what those raise that fail."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa

from moc_meter import errors
from moc_meter.storage import engine as transactions
from moc_meter.tests.servers.base import free_port
from moc_meter.tests.servers.mariadb import MariaDB
from moc_meter.tests.servers.postgresql import PostgreSQL

ROWS = sa.Table('rows', sa.MetaData(), sa.Column('id', sa.Integer,
                                                 primary_key=True),
                sa.Column('value', sa.Integer))


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    made = transactions.make_engine(database_url)
    with transactions.writing(made) as conn:
        ROWS.create(conn)
        conn.execute(sa.insert(ROWS), [{'id': number, 'value': 0}
                                       for number in (1, 2)])
    yield made
    made.dispose()


def values(engine: sa.Engine) -> list[int]:
    with transactions.reading(engine) as conn:
        return list(conn.scalars(sa.select(ROWS.c.value)
                                 .order_by(ROWS.c.id)))


def increase(conn: sa.Connection, number: int) -> None:
    conn.execute(sa.update(ROWS).where(ROWS.c.id == number)
                 .values(value=ROWS.c.value + 1))


def test_two_that_lock_each_other_out_both_succeed(engine: sa.Engine) -> None:
    """They meet in the middle the first time, where the database can."""
    middle = threading.Barrier(2)
    runs = []

    def work(conn: sa.Connection, first: int, second: int) -> None:
        increase(conn, first)
        runs.append(first)
        if len(runs) < 3 and engine.dialect.name != 'sqlite':
            middle.wait(30)
        increase(conn, second)

    threads = [threading.Thread(
        target=transactions.transact,
        args=(engine, lambda conn, f=first: work(conn, f, 3 - f)))
        for first in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert values(engine) == [2, 2]
    if engine.dialect.name != 'sqlite':
        assert len(runs) == 3


def test_a_transaction_that_fails_is_taken_back(engine: sa.Engine) -> None:
    def work(conn: sa.Connection) -> None:
        increase(conn, 1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        transactions.transact(engine, work)
    assert values(engine) == [0, 0]


@pytest.mark.parametrize('statement', [
    'SELECT * FROM nowhere', 'INSERT INTO rows VALUES (1, 1)', 'SELEC'])
def test_wrong_data_and_wrong_code_are_not_the_stores_fault(
        engine: sa.Engine, statement: str) -> None:
    runs = []

    def work(conn: sa.Connection) -> None:
        runs.append(1)
        conn.exec_driver_sql(
            statement.replace('rows', conn.dialect.identifier_preparer.quote(
                'rows')))

    with pytest.raises(sa.exc.DBAPIError):
        transactions.transact(engine, work)
    assert runs == [1]


def test_a_reader_sees_one_state_until_its_end(engine: sa.Engine) -> None:
    with transactions.reading(engine) as conn:
        first = conn.scalars(sa.select(ROWS.c.value)).all()
        transactions.transact(engine, lambda other: increase(other, 1))
        assert conn.scalars(sa.select(ROWS.c.value)).all() == first
    assert values(engine) == [1, 0]


def test_sqlite_keeps_what_it_acknowledged(sqlite_url: str) -> None:
    engine = transactions.make_engine(sqlite_url)
    with transactions.reading(engine) as conn:
        found = {name: conn.exec_driver_sql(f'PRAGMA {name}').scalar()
                 for name in ('journal_mode', 'synchronous', 'foreign_keys')}
    engine.dispose()
    assert found == {'journal_mode': 'wal', 'synchronous': 2,
                     'foreign_keys': 1}


@pytest.mark.parametrize('form', ['postgresql+psycopg', 'mysql+pymysql'])
def test_a_server_that_is_not_there_is_unavailable(form: str) -> None:
    engine = transactions.make_engine(
        f'{form}://me:secret@127.0.0.1:{free_port()}/meter')
    with pytest.raises(errors.StoreUnavailable) as caught:
        transactions.inquire(engine, lambda conn: conn.scalar(sa.select(1)))
    assert caught.value.retryable
    assert 'secret' not in str(caught.value)


@pytest.mark.parametrize('kind', [PostgreSQL, MariaDB])
def test_a_reader_outlives_a_restart_of_the_server(
        kind: type[PostgreSQL | MariaDB]) -> None:
    with kind() as server:
        engine = transactions.make_engine(server.create_database())
        ask = sa.select(sa.literal(7))
        assert transactions.inquire(engine,
                                    lambda conn: conn.scalar(ask)) == 7
        server.kill()
        with pytest.raises(errors.StoreUnavailable):
            transactions.inquire(engine, lambda conn: conn.scalar(ask))
        server.start()
        assert transactions.inquire(engine,
                                    lambda conn: conn.scalar(ask)) == 7
        engine.dispose()


def test_one_loss_is_put_up_with_however_many_connections_are_gone(
        postgresql_url: str) -> None:
    engine, other = (transactions.make_engine(postgresql_url)
                     for _ in range(2))
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            transactions.fetch(stack.enter_context(
                transactions.statements(engine)), b'SELECT 1', {})
    with transactions.statements(other) as conn:
        conn.execute(sa.text(
            'SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity '
            'WHERE datname = current_database() AND pid <> pg_backend_pid()'))
    other.dispose()
    assert transactions.ask(engine, lambda conn: transactions.fetch(
        conn, b'SELECT %(seven)s::integer', {'seven': 7})) == [(7,)]
    engine.dispose()


def assert_takes_back(engine: sa.Engine) -> None:
    """What failed in a transaction has left nothing."""
    def spoil(conn: sa.Connection) -> None:
        conn.exec_driver_sql('CREATE TABLE made (number integer)')
        raise ValueError('changed my mind')

    with pytest.raises(ValueError, match='changed my mind'):
        transactions.transact(engine, spoil)
    with transactions.reading(engine) as conn:
        assert not sa.inspect(conn).has_table('made')


def test_what_is_asked_outside_of_transactions_leaves_later_ones_alone(
        postgresql_url: str) -> None:
    engine = transactions.make_engine(postgresql_url, pool_size=1)

    def ask(statement: bytes) -> str:
        def work(conn: sa.Connection) -> str:
            transactions.fetch(conn, statement, {})
            driver = conn.connection.driver_connection
            assert isinstance(driver, psycopg.Connection)
            return driver.info.transaction_status.name

        return transactions.ask(engine, work)

    assert ask(b'SELECT 1') == 'IDLE'
    with pytest.raises(psycopg.errors.DivisionByZero):
        ask(b'SELECT 1 / 0')
    assert_takes_back(engine)
    engine.dispose()


def test_a_transaction_that_was_left_open_is_over_with_its_connection(
        postgresql_url: str) -> None:
    engine = transactions.make_engine(postgresql_url, pool_size=1)
    transactions.ask(engine, lambda conn: conn.connection.cursor().execute(
        'BEGIN'))
    assert_takes_back(engine)
    engine.dispose()


def test_a_long_answer_is_not_kept_by_its_connection(
        postgresql_url: str) -> None:
    engine = transactions.make_engine(postgresql_url, pool_size=1)

    def fetch(rows: int) -> int:
        return len(transactions.ask(engine, lambda conn: transactions.fetch(
            conn, b'SELECT generate_series(1, %(rows)s)', {'rows': rows})))

    def cursors() -> int:
        return transactions.ask(engine, lambda conn: sum(
            isinstance(kept, psycopg.Cursor) for kept in conn.info.values()))

    assert (fetch(1000), cursors()) == (1000, 1)
    assert (fetch(1001), cursors()) == (1001, 0)
    assert (fetch(2), cursors()) == (2, 1)
    engine.dispose()


#: SQLite cannot sleep, but count for a while.
_COUNT = ('WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n '
          'WHERE i < 1000000000) SELECT max(i) FROM n')


def test_a_statement_that_takes_too_long_is_given_up_and_not_tried_again(
        postgresql_url: str, mariadb_url: str, sqlite_url: str) -> None:
    for url, sleep in ((postgresql_url, 'SELECT pg_sleep(30)'),
                       (mariadb_url, 'SELECT sleep(30)'),
                       (sqlite_url, _COUNT)):
        engine = transactions.make_engine(url, statement_timeout=1)
        tried: list[str] = []

        def work(conn: sa.Connection, sleep: str = sleep,
                 tried: list[str] = tried) -> None:
            tried.append(sleep)
            if conn.dialect.name == 'postgresql':
                transactions.fetch(conn, sleep.encode(), {})
            else:
                conn.exec_driver_sql(sleep).all()

        for once in (transactions.ask, transactions.inquire):
            with pytest.raises(errors.StoreUnavailable):
                once(engine, work)
        assert len(tried) == 2
        engine.dispose()


@pytest.mark.parametrize('url', [
    '', 'meter', 'foo://me:secret@db/x', 'mysql://me:secret@db/x',
    'postgresql+psycopg://me:secret@db:port/x', 'sqlite:////nowhere/x/y',
    'sqlite://', 'mariadb+pymysql://me:secret@db/x'])
def test_a_wrong_url_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(errors.InvalidConfiguration) as caught:
        transactions.make_engine(url)
    assert 'secret' not in str(caught.value)
    assert '\n' not in str(caught.value)
