# SPDX-License-Identifier: Apache-2.0
"""Which life of the database this is, and the end of one.

Processes remember the numbers of series and metadata. Emptied, the database
gives those numbers anew, for other things; so it counts how often it was
emptied, and whoever writes makes sure that what it remembers is of this life.
The number is below zero while the database is being emptied step by step:
then nobody writes.
"""

from __future__ import annotations

import sqlalchemy as sa

from moc_meter import errors
from moc_meter.storage import dialect
from moc_meter.storage import engine as transactions
from moc_meter.storage.tables.samples import generation, metadata

_NUMBER = sa.select(generation.c.number)
_SHARED = _NUMBER.with_for_update(read=True)
_TABLES = [table for table in reversed(metadata.sorted_tables)
           if table is not generation]


def held(conn: sa.Connection) -> int:
    """The generation; it stays the same until the transaction ends.

    PostgreSQL: reset() locks the table against any reader. MariaDB: the row
    is locked. SQLite has one writer at a time.
    Raises StoreUnavailable where the database is being emptied.
    """
    found = dialect.choose(
        conn, sqlite=_NUMBER, postgresql=_NUMBER, mariadb=_SHARED)
    number: int | None = transactions.scalar(conn, found)
    if number is None or number < 0:
        raise errors.StoreUnavailable(
            'the database is being emptied; where that was interrupted, '
            'moc-meter-manage db reset --yes finishes it')
    return number


def alone(conn: sa.Connection) -> None:
    """Nobody else holds the generation before this transaction ends.

    Raises StoreUnavailable where the database is being emptied.
    """
    statement = dialect.choose(
        conn, sqlite=None, mariadb='SELECT id FROM generation FOR UPDATE',
        postgresql='LOCK TABLE generation IN ACCESS EXCLUSIVE MODE')
    if statement:
        conn.exec_driver_sql(statement)
    held(conn)


def reset(engine: sa.Engine) -> None:
    """Empty every table of ours, and begin a new generation; durable.

    Waits for those who write, and they wait for it; on MariaDB they are told
    to come again. Interrupted, it has done nothing, or nobody writes until
    it is done again.
    """
    transactions.transact(engine, dialect.choose(
        engine, sqlite=_delete, postgresql=_truncate, mariadb=_step_by_step))


def _delete(conn: sa.Connection) -> None:
    conn.execute(sa.update(generation).values(
        number=generation.c.number + 1))
    for table in _TABLES:
        conn.execute(sa.delete(table))


def _truncate(conn: sa.Connection) -> None:
    alone(conn)
    conn.execute(sa.update(generation).values(
        number=generation.c.number + 1))
    conn.exec_driver_sql('TRUNCATE ' + ', '.join(_quoted(conn)))


def _step_by_step(conn: sa.Connection) -> None:
    """One TRUNCATE after the other: each commits, and takes moments.

    To delete all rows in one transaction would take hours, and as long again
    to undo. Hence a lock of the session, so that no two empty it at once.
    """
    name = sa.func.concat(sa.func.database(), ':reset')
    if conn.scalar(sa.select(sa.func.get_lock(name, 60))) != 1:
        raise errors.StoreUnavailable('another empties the database')
    try:
        conn.execute(sa.update(generation).values(
            number=-1 - sa.func.abs(generation.c.number)))
        conn.exec_driver_sql('COMMIT')
        for table in _quoted(conn):
            # It waits for every reader, and all others wait behind it: a
            # short while, and then again (see engine.py).
            conn.exec_driver_sql(
                'SET STATEMENT foreign_key_checks = 0, lock_wait_timeout = 2 '
                f'FOR TRUNCATE TABLE {table}')
        conn.execute(sa.update(generation).values(
            number=-generation.c.number))
    finally:
        conn.execute(sa.select(sa.func.release_lock(name)))


def _quoted(conn: sa.Connection) -> list[str]:
    quote = conn.dialect.identifier_preparer.quote
    return [quote(table.name) for table in _TABLES]
