# SPDX-License-Identifier: Apache-2.0
"""Many rows at once: the fastest exact way into each database.

A staging table holds a batch beside the tables that it goes into, so that
one statement can say what becomes of all its rows. It is temporary: each
connection has its own, and it never waits for another one's.
Rows are tuples in the order of the table's columns, instants in them whole
microseconds since 1970, as the database keeps them.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from psycopg.types.string import BytesBinaryDumper

from moc_meter.storage import dialect

Row = tuple[Any, ...]

#: What PostgreSQL's binary COPY calls the types of our columns; the bytes of
#: a uuid are those of its key.
_COPIED = {dialect.Key: 'bytea', dialect.Quantity: 'numeric',
           sa.BigInteger: 'int8', sa.Integer: 'int4',
           sa.LargeBinary: 'bytea', sa.String: 'text'}


def plain(table: sa.Table, name: str | None = None) -> sa.Table:
    """The same table with instants as the integers that they are kept as.

    name: of a temporary table of these columns, for staging.
    """
    return sa.Table(
        name or table.name, sa.MetaData(),
        *(sa.Column(column.name, sa.BigInteger()
                    if isinstance(column.type, dialect.Instant)
                    else column.type,
                    primary_key=column.primary_key and not name,
                    nullable=column.nullable,
                    autoincrement=column.autoincrement)
          for column in table.columns),
        prefixes=['TEMPORARY'] if name else [],
        postgresql_on_commit='DELETE ROWS' if name else None)


def fill(conn: sa.Connection, table: sa.Table,
         rows: Sequence[Row] | sa.Select[Any]) -> int:
    """Make the staging table, if there is none yet, hold just these rows.

    Returns how many they are.
    """
    made: set[str] = conn.info.setdefault('moc_meter_staging', set())
    if table.name not in made:
        conn.execute(sa.schema.CreateTable(table, if_not_exists=True))
        # Not remembered before it is certain: a rollback takes it back.
        sa.event.listen(conn, 'commit', lambda _: made.add(table.name),
                        once=True)
    _empty(conn, table)
    if isinstance(rows, sa.Select):
        names = [column.name for column in table.columns]
        return conn.execute(
            sa.insert(table).from_select(names, rows)
            .execution_options(preserve_rowcount=True)).rowcount
    load(conn, table, rows)
    return len(rows)


def _empty(conn: sa.Connection, table: sa.Table) -> None:
    """Nothing is staged any more; PostgreSQL sees to that between
    transactions.
    """
    filled_in = conn.info.setdefault('moc_meter_filled', {})
    if (conn.get_transaction() in (None, filled_in.get(table.name))
            or dialect.choose(conn, sqlite=True, postgresql=False,
                              mariadb=True)):
        conn.execute(sa.delete(table))
    filled_in[table.name] = conn.get_transaction()


def load(conn: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Append rows; their width says how many columns are given."""
    if rows:
        append = dialect.choose(conn, postgresql=_copy, mariadb=_insert,
                                sqlite=_insert)
        append(conn, table, rows)


def _insert(conn: sa.Connection, table: sa.Table,
            rows: Sequence[Row]) -> None:
    names = table.columns.keys()[-len(rows[0]):]
    conn.execute(sa.insert(table), [dict(zip(names, row, strict=True))
                                    for row in rows])


def _copy(conn: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    statement, types = _copying(table, len(rows[0]))
    driver: Any = conn.connection
    with driver.cursor() as cursor:
        # psycopg would take one for all that is like bytes, which is slower.
        cursor.adapters.register_dumper(bytes, BytesBinaryDumper)
        with cursor.copy(statement) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)


@functools.cache
def _copying(table: sa.Table, width: int) -> tuple[str, list[str]]:
    """COPY into the last columns of a table, and their types."""
    columns = table.columns.values()[-width:]
    names = ', '.join(f'"{column.name}"' for column in columns)
    return (f'COPY "{table.name}" ({names}) FROM STDIN (FORMAT BINARY)',
            [next(name for kind, name in _COPIED.items()
                  if isinstance(column.type, kind)) for column in columns])
