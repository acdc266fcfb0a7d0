# SPDX-License-Identifier: Apache-2.0
"""Many rows at once: the fastest exact way into each database.

A staging table holds a batch beside the tables that it goes into, so that
one statement can say what becomes of all its rows. It is temporary: each
connection has its own, and it never waits for another one's.
Rows are tuples in the order of the table's columns, instants in them whole
microseconds since 1970, as the database keeps them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from moc_meter.storage import dialect

Row = tuple[Any, ...]

#: What PostgreSQL's binary COPY calls the types of our columns.
_COPIED = {dialect.Key: 'uuid', dialect.Quantity: 'numeric',
           sa.Boolean: 'bool', sa.BigInteger: 'int8', sa.LargeBinary: 'bytea',
           sa.String: 'text'}


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
    conn.execute(sa.delete(table))
    if isinstance(rows, sa.Select):
        names = [column.name for column in table.columns]
        return conn.execute(
            sa.insert(table).from_select(names, rows)
            .execution_options(preserve_rowcount=True)).rowcount
    load(conn, table, rows)
    return len(rows)


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
    columns = table.columns.values()[-len(rows[0]):]
    quote = conn.dialect.identifier_preparer.quote
    names = ', '.join(quote(column.name) for column in columns)
    driver: Any = conn.connection
    with driver.cursor() as cursor, cursor.copy(
            f'COPY {quote(table.name)} ({names}) '
            'FROM STDIN (FORMAT BINARY)') as copy:
        copy.set_types([_copied(column.type) for column in columns])
        for row in rows:
            copy.write_row(row)


def _copied(kind: sa.types.TypeEngine[Any]) -> str:
    return next(name for ours, name in _COPIED.items()
                if isinstance(kind, ours))
