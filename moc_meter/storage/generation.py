# SPDX-License-Identifier: Apache-2.0
"""Which life of the database this is, and the end of one.

Processes remember the numbers of series and metadata. Emptied, the database
gives those numbers anew, for other things; so it counts how often it was
emptied, and whoever writes makes sure that what it remembers is of this life.
"""

from __future__ import annotations

import sqlalchemy as sa

from moc_meter.storage import dialect
from moc_meter.storage import engine as transactions
from moc_meter.storage.tables.samples import generation, metadata

_NUMBER = sa.select(generation.c.number)


def held(conn: sa.Connection) -> int:
    """The generation; it stays the same until the transaction ends.

    PostgreSQL: reset() locks the table against any reader. MariaDB: the row
    is locked. SQLite has one writer at a time.
    """
    found = dialect.choose(
        conn, sqlite=_NUMBER, postgresql=_NUMBER,
        mariadb=_NUMBER.with_for_update(read=True))
    number: int = conn.scalars(found).one()
    return number


def alone(conn: sa.Connection) -> None:
    """Nobody else holds the generation before this transaction ends."""
    postgresql = 'LOCK TABLE generation IN ACCESS EXCLUSIVE MODE'
    statement = dialect.choose(conn, sqlite=None, postgresql=postgresql,
                               mariadb='SELECT id FROM generation FOR UPDATE')
    if statement:
        conn.exec_driver_sql(statement)


def reset(engine: sa.Engine) -> None:
    """Empty every table of ours, and begin a new generation; durable.

    Waits for those who write, and they wait for it.
    """
    transactions.transact(engine, _reset)


def _reset(conn: sa.Connection) -> None:
    alone(conn)
    conn.execute(sa.update(generation).values(
        number=generation.c.number + 1))
    tables = [table for table in reversed(metadata.sorted_tables)
              if table is not generation]
    # MariaDB's TRUNCATE would commit before all are empty.
    truncate = dialect.choose(conn, sqlite=False, mariadb=False,
                              postgresql=True)
    if truncate:
        quote = conn.dialect.identifier_preparer.quote
        conn.exec_driver_sql(
            'TRUNCATE ' + ', '.join(quote(table.name) for table in tables))
    else:
        for table in tables:
            conn.execute(sa.delete(table))
