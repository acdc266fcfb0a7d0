# SPDX-License-Identifier: Apache-2.0
"""Connections, transactions, and what becomes of those that fail."""

from __future__ import annotations

import contextlib
import functools
import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import sqlalchemy as sa
from alembic import command
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.dialects.postgresql import psycopg as postgresql

from moc_meter import errors
from moc_meter.model.pause import pauses
from moc_meter.storage import migrations, sqlite
from moc_meter.storage.faults import DATABASE_ERRORS, Fault, fault

_T = TypeVar('_T')
_FORMS = ('sqlite:///PATH', 'postgresql+psycopg://USER:PASSWORD@HOST/NAME',
          'mysql+pymysql://USER:PASSWORD@HOST/NAME')
#: What goes on trying when others are in the way: pauses of ten seconds in
#: all, besides the five that SQLite and MariaDB wait each time.
_ATTEMPTS = 12
#: Execution options: of an engine, what its readers are to be given; of a
#: connection, that its transaction only reads.
_READERS = 'moc_meter_readers'
_READS = 'moc_meter_reads'
#: What a connection of PostgreSQL's keeps as long as it lives, after answers
#: of at most so many rows.
_CURSOR = 'moc_meter_cursor'
_SHORT = 1000
_IDLE = psycopg.pq.TransactionStatus.IDLE


def make_engine(url: str, pool_size: int = 5,
                statement_timeout: int | None = None) -> sa.Engine:
    """The engine of a database; it connects when it is first used.

    url: one of three forms, see _FORMS; another one is refused with
        InvalidConfiguration, which shows no password.
    pool_size: most connections that are open at the same time.
    statement_timeout: seconds after which the database gives up a statement,
        which then is StoreUnavailable; on SQLite one that only reads.
    """
    parsed = _parsed(url)
    make = {'sqlite': _sqlite, 'postgresql+psycopg': _postgresql,
            'mysql+pymysql': _mariadb}.get(parsed.drivername)
    if make is None:
        raise errors.InvalidConfiguration(
            'no such kind of database', url=parsed.render_as_string(),
            allowed=_FORMS)
    return make(parsed, statement_timeout,
                {'pool_size': pool_size, 'max_overflow': 0})


@contextlib.contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection in a transaction that is committed at the end.

    On SQLite it holds the one writer's place from the beginning. Raises
    StoreUnavailable as transact() does, but tries nothing again.
    """
    with _translated(), engine.begin() as conn:
        yield conn


@contextlib.contextmanager
def statements(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection whose every statement is a transaction of its own.

    Raises StoreUnavailable as transact() does, but tries nothing again.
    """
    with _translated(), _autocommitting(engine) as conn:
        yield conn


@contextlib.contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection that sees one state of the database until the end.

    Raises StoreUnavailable as transact() does, but tries nothing again.
    """
    with _translated(), _snapshot(engine) as conn:
        yield conn


def transact(engine: sa.Engine, work: Callable[[sa.Connection], _T]) -> _T:
    """Do the work in a transaction of its own, and commit.

    Where the transaction met others (deadlock, serialisation failure, lock
    wait) the whole of it is tried again, several times. So work may run more
    than once, and must not remember anything of a run that failed.

    Raises StoreUnavailable where that did not help, the connection was lost,
    or a statement or the pool took too long. Errors of data and of the program
    fly.
    """
    return _again(engine.begin, work, losses=0)


def inquire(engine: sa.Engine, work: Callable[[sa.Connection], _T]) -> _T:
    """Do the work, which only reads, on one state of the database.

    Tries again, and raises, as transact() does; once also where the
    connection was lost, since the pool may have kept it from a server that
    was started anew.
    """
    return _again(lambda: _snapshot(engine), work, losses=1)


def ask(engine: sa.Engine, work: Callable[[sa.Connection], _T]) -> _T:
    """Do the work, which is one statement that reads.

    Like inquire(); but PostgreSQL need not be told twice that a statement
    sees one state of the database, where it begins and where it ends.
    MariaDB may have to be asked more than one, see dialect.ids().
    """
    if engine.dialect.name != 'postgresql':
        return inquire(engine, work)
    return _again(lambda: _committing(engine), work, losses=1)


def fetch(conn: sa.Connection, text: bytes,
          values: Mapping[str, Any] | None = None) -> Sequence[Sequence[Any]]:
    """The rows of a statement, by PostgreSQL's driver alone.

    values: None where the statement names none; then its % is not doubled.
    """
    rows = run(conn, text, values).fetchall()
    if len(rows) > _SHORT:
        del conn.info[_CURSOR]      # it keeps them until it is used again
    return rows


def scalar(conn: sa.Connection, statement: sa.Select[Any]) -> Any:
    """What the one row of a statement says, or None.

    statement: one that is made once and used again and again, whose result
        the driver has as it is wanted.
    """
    if conn.dialect.name != 'postgresql':
        return conn.scalar(statement)
    rows = fetch(conn, *_spelled(statement))
    return rows[0][0] if rows else None


@functools.cache
def _spelled(statement: sa.Select[Any]
             ) -> tuple[bytes, Mapping[str, Any] | None]:
    text, values = spelled(statement)
    return (text, values) if values else (text.replace(b'%%', b'%'), None)


def spelled(statement: sa.SelectBase) -> tuple[bytes, Mapping[str, Any]]:
    """The statement for fetch(), and the values that it has itself."""
    made = statement.compile(
        dialect=postgresql.dialect())       # type: ignore[no-untyped-call]
    return str(made).encode(), made.params


def run(conn: sa.Connection, text: bytes,
        values: Mapping[str, Any] | None = None
        ) -> psycopg.Cursor[tuple[Any, ...]]:
    """Have a statement executed by PostgreSQL's driver alone.

    SQLAlchemy takes longer to have a short one executed than the driver, and
    this one longer with a new cursor: it learns the types of columns anew.
    """
    driver = _driver(conn)
    try:
        cursor: psycopg.Cursor[tuple[Any, ...]] = (
            conn.info.get(_CURSOR) or driver.cursor())
        conn.info[_CURSOR] = cursor
        return cursor.execute(text, values)
    except psycopg.OperationalError:
        if driver.closed:
            # It must learn of it: the pool may have more of this kind.
            conn.exec_driver_sql('SELECT 1')
        raise


def migrate(engine: sa.Engine) -> None:
    """Bring the schema to what this release works with."""
    with writing(engine) as conn:
        command.upgrade(migrations.config(conn), 'head')


def check_schema(engine: sa.Engine) -> None:
    """Raise StoreMismatch where the schema is not this release's."""
    def revision(conn: sa.Connection) -> str | None:
        return MigrationContext.configure(conn).get_current_revision()

    found = inquire(engine, revision)
    wanted = ScriptDirectory.from_config(
        migrations.config()).get_current_head()
    if found != wanted:
        raise errors.StoreMismatch(
            "the database's schema is not the one of this release; run "
            'moc-meter-manage db upgrade', found=found, wanted=wanted)


def _again(begin: Callable[[], contextlib.AbstractContextManager[
               sa.Connection]],
           work: Callable[[sa.Connection], _T], losses: int) -> _T:
    """The one place that tries again; losses: how many it puts up with."""
    for pause in itertools.islice(pauses(0.01, 2), _ATTEMPTS):
        try:
            with begin() as conn:
                return work(conn)
        except DATABASE_ERRORS as error:
            kind, last = fault(error), error
            if kind is None:
                raise
            losses -= kind is Fault.LOST
        if losses < 0 or kind is Fault.LATE:
            break
        time.sleep(pause)
    raise _unavailable(last) from last


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except DATABASE_ERRORS as error:
        if fault(error) is None:
            raise
        raise _unavailable(error) from error


def _unavailable(error: Exception) -> errors.StoreUnavailable:
    said = str(getattr(error, 'orig', None) or error)
    return errors.StoreUnavailable('the database does not answer',
                                   reason=said.partition('\n')[0])


@contextlib.contextmanager
def _autocommitting(engine: sa.Engine) -> Iterator[sa.Connection]:
    with engine.connect() as conn:
        conn.execution_options(isolation_level='AUTOCOMMIT')
        yield conn


@contextlib.contextmanager
def _committing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Like _autocommitting(); PostgreSQL's driver is told without detours."""
    with engine.connect() as conn:
        driver = _driver(conn)
        driver.autocommit = True
        try:
            yield conn
        finally:
            if driver.info.transaction_status is _IDLE:
                driver.autocommit = False
            else:
                conn.invalidate()


def _driver(conn: sa.Connection) -> psycopg.Connection[tuple[Any, ...]]:
    return conn.connection.driver_connection    # type: ignore[return-value]


@contextlib.contextmanager
def _snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    with engine.connect() as conn:
        conn.execution_options(**engine.get_execution_options()[_READERS])
        with conn.begin():
            yield conn


def _parsed(url: str) -> sa.URL:
    try:
        return sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        # Not shown: where it is not understood, neither is its password.
        raise errors.InvalidConfiguration(
            'the URL of the database cannot be read',
            allowed=_FORMS) from None


def _sqlite(url: sa.URL, timeout: int | None,
            pool: dict[str, Any]) -> sa.Engine:
    if not url.database or not Path(url.database).absolute().parent.is_dir():
        raise errors.InvalidConfiguration(
            'the folder of the database file does not exist',
            file=url.database)
    engine = _engine(url, {_READS: True}, pool)
    sa.event.listen(engine, 'connect', sqlite.prepare)
    if timeout:
        _limit_readers(engine, timeout)

    @sa.event.listens_for(engine, 'begin')
    def _begin(conn: sa.Connection) -> None:
        # A writer that began as a reader could not wait for another writer.
        conn.exec_driver_sql(
            'BEGIN' if conn.get_execution_options().get(_READS)
            else 'BEGIN IMMEDIATE')

    return engine


def _limit_readers(engine: sa.Engine, timeout: int) -> None:
    sa.event.listen(engine, 'connect', sqlite.limit)

    @sa.event.listens_for(engine, 'before_cursor_execute')
    def _begin(conn: sa.Connection, *_: Any) -> None:
        conn.info[sqlite.UNTIL] = (
            time.monotonic() + timeout
            if conn.get_execution_options().get(_READS) else None)


def _postgresql(url: sa.URL, timeout: int | None,
                pool: dict[str, Any]) -> sa.Engine:
    # Our questions are short and go through indexes, so compiling them costs
    # more than it saves, and disks do not seek any more.
    settings = (f'-c statement_timeout={(timeout or 0) * 1000} '
                '-c jit=off -c random_page_cost=1.1')
    return _engine(
        url, {'isolation_level': 'REPEATABLE READ',
              'postgresql_readonly': True},
        pool, isolation_level='READ COMMITTED',
        connect_args={'connect_timeout': 10, 'options': settings,
                      # A server that vanished is found out in a minute.
                      'keepalives_idle': 30, 'keepalives_interval': 10,
                      'keepalives_count': 3, 'tcp_user_timeout': 60_000,
                      'client_encoding': 'utf8',
                      'application_name': 'moc_meter'})


def _mariadb(url: sa.URL, timeout: int | None,
             pool: dict[str, Any]) -> sa.Engine:
    engine = _engine(
        url, {_READS: True}, pool, isolation_level='READ COMMITTED',
        connect_args={
            'charset': 'utf8mb4', 'collation': 'utf8mb4_nopad_bin',
            'connect_timeout': 10,
            # One that hangs is given up.
            'read_timeout': 300, 'write_timeout': 300,
            'init_command': (
                "SET SESSION sql_mode = 'STRICT_ALL_TABLES,ONLY_FULL_GROUP_BY"
                ",ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', "
                # A long list would become a join, see dialect.ids().
                'in_predicate_conversion_threshold = 0, '
                f'max_statement_time = {timeout or 0}, '
                'innodb_lock_wait_timeout = 5')})

    @sa.event.listens_for(engine, 'begin')
    def _begin(conn: sa.Connection) -> None:
        if conn.get_execution_options().get(_READS):
            conn.exec_driver_sql('SET TRANSACTION ISOLATION LEVEL '
                                 'REPEATABLE READ, READ ONLY')

    return engine


def _engine(url: sa.URL, readers: dict[str, Any], pool: dict[str, Any],
            **arguments: Any) -> sa.Engine:
    """readers: the execution options of transactions that only read."""
    return sa.create_engine(
        url, pool_logging_name='moc_meter', **pool, **arguments,
        execution_options={_READERS: readers})
