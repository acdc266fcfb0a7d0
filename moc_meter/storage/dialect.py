# SPDX-License-Identifier: Apache-2.0
"""What the three databases spell differently.

No other module may ask for the dialect's name.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.ext.compiler import compiles

from moc_meter.model import period
from moc_meter.storage import sqlite as ours

#: SQLAlchemy's name of the dialect; MariaDB is reached as mysql+pymysql.
_MYSQL = 'mysql'
_T = TypeVar('_T')
Columns = Mapping[str, sa.ColumnElement[Any]]


def choose(on: sa.Connection | sa.Engine, *, sqlite: _T, postgresql: _T,
           mariadb: _T) -> _T:
    """The one of three things that belongs to the database."""
    return {'sqlite': sqlite, 'postgresql': postgresql,
            _MYSQL: mariadb}[on.dialect.name]


def text(length: int) -> sa.types.TypeEngine[str]:
    """A text column that is compared by code point on every database.

    MariaDB's utf8mb4_bin would take 'a' and 'a ' for one.
    """
    return (sa.String(length)
            .with_variant(postgresql.VARCHAR(length, collation='C'),
                          'postgresql')
            .with_variant(mysql.VARCHAR(length, charset='utf8mb4',
                                        collation='utf8mb4_nopad_bin'),
                          _MYSQL))


def long_text() -> sa.types.TypeEngine[str]:
    """Text without a bound of its own, compared as text() is."""
    return (sa.Text()
            .with_variant(postgresql.TEXT(collation='C'), 'postgresql')
            .with_variant(mysql.LONGTEXT(charset='utf8mb4',
                                         collation='utf8mb4_nopad_bin'),
                          _MYSQL))


class Instant(sa.TypeDecorator[datetime.datetime]):
    """An aware instant in UTC, as whole microseconds since 1970.

    An integer, since it is the same on every database: no session's time
    zone touches it, SQLite compares it as a number, and the place of an
    instant among periods is one exact division.
    """

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime.datetime | None,
                           dialect: sa.Dialect  # noqa: ARG002
                           ) -> int | None:
        return None if value is None else period.microseconds(value)

    def process_result_value(self, value: int | None,
                             dialect: sa.Dialect  # noqa: ARG002
                             ) -> datetime.datetime | None:
        return None if value is None else period.instant(int(value))


class Quantity(sa.TypeDecorator[Decimal]):
    """An exact decimal of scale 9.

    SQLite has no decimals and would make a binary float of it, so there it
    is kept as text, with a collation that compares numbers; sums and
    additions are functions, see sqlite.py.
    """

    impl = sa.Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect
                          ) -> sa.types.TypeEngine[Any]:
        return dialect.type_descriptor(
            sa.String(48, collation='quantity') if dialect.name == 'sqlite'
            else sa.Numeric(38, 9))

    def process_bind_param(self, value: Decimal | None,
                           dialect: sa.Dialect) -> Decimal | str | None:
        if value is None or dialect.name != 'sqlite':
            return value
        return ours.text(value)

    def result_processor(self, dialect: sa.Dialect, coltype: object
                         ) -> Callable[[Any], Decimal | None] | None:
        """None where the driver's own decimals are the values."""
        if dialect.name != 'sqlite':
            return super().result_processor(dialect, coltype)
        return lambda value: None if value is None else Decimal(value)


class Key(sa.TypeDecorator[uuid.UUID]):
    """16 bytes: PostgreSQL's uuid, elsewhere binary.

    Rows that are staged have them as bytes, which are quicker to make.
    """

    impl = sa.LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect
                          ) -> sa.types.TypeEngine[Any]:
        if dialect.name == 'postgresql':
            return dialect.type_descriptor(postgresql.UUID(as_uuid=True))
        if dialect.name == _MYSQL:
            return dialect.type_descriptor(mysql.BINARY(16))
        return dialect.type_descriptor(sa.LargeBinary(16))

    def process_bind_param(self, value: uuid.UUID | bytes | None,
                           dialect: sa.Dialect
                           ) -> uuid.UUID | bytes | None:
        if isinstance(value, uuid.UUID) and dialect.name != 'postgresql':
            return value.bytes
        return value

    def process_result_value(self, value: uuid.UUID | bytes | None,
                             dialect: sa.Dialect  # noqa: ARG002
                             ) -> uuid.UUID | None:
        return uuid.UUID(bytes=value) if isinstance(value, bytes) else value


def digest(length: int = 32) -> sa.types.TypeEngine[bytes]:
    """A column for a digest, of fixed length where the database can."""
    return sa.LargeBinary(length).with_variant(mysql.BINARY(length), _MYSQL)


def content() -> sa.types.TypeEngine[bytes]:
    """A column for bytes of any length."""
    return sa.LargeBinary().with_variant(mysql.LONGBLOB(), _MYSQL)


def insert_missing(conn: sa.Connection, table: sa.Table,
                   chosen: sa.Select[Any] | None = None) -> Any:
    """INSERT that leaves out the rows whose keys are there already.

    chosen: where the rows come from; None where values are given. On MariaDB
        they must come from a table of the same strict types, for IGNORE,
        the only form whose RETURNING leaves old rows out, would mend wrong
        values without a word.
    The form without a target is the only one that foreign partitions of
    PostgreSQL know.
    """
    if chosen is None:
        first = table.primary_key.columns[0].name
        return choose(
            conn,
            sqlite=sqlite.insert(table).on_conflict_do_nothing(),
            postgresql=postgresql.insert(table).on_conflict_do_nothing(),
            mariadb=mysql.insert(table).on_duplicate_key_update(
                {first: table.c[first]}))
    names = [column.name for column in chosen.selected_columns]
    # Without WHERE, SQLite would take ON CONFLICT for a condition of a join.
    whole = chosen.where(sa.true())
    return choose(
        conn,
        sqlite=sqlite.insert(table).from_select(names, whole)
        .on_conflict_do_nothing(),
        postgresql=postgresql.insert(table).from_select(names, chosen)
        .on_conflict_do_nothing(),
        mariadb=sa.insert(table).prefix_with('IGNORE')
        .from_select(names, chosen))


def insert_missing_as(name: str, table: sa.Table,
                      chosen: sa.Select[Any]) -> sa.CTE:
    """PostgreSQL: the rows that insert_missing() inserts, for a statement
    that goes on with them.
    """
    return (postgresql.insert(table)
            .from_select([column.name for column in chosen.selected_columns],
                         chosen)
            .on_conflict_do_nothing().returning(*table.columns).cte(name))


def merge(name: str, table: sa.Table, keys: Sequence[str],
          merged: Callable[[Columns], Columns],
          chosen: sa.Select[Any]) -> sa.CTE:
    """PostgreSQL: rows are inserted, or merged into the ones of their keys.

    merged: the columns of a row that is there, with another one's taken in.
    """
    insert = postgresql.insert(table).from_select(
        [column.name for column in chosen.selected_columns], chosen)
    return insert.on_conflict_do_update(
        index_elements=keys,
        set_=dict(merged(dict(insert.excluded)))).cte(name)


class add(sa.sql.functions.GenericFunction[Decimal]):  # noqa: N801
    """The exact sum of two quantities."""

    type = Quantity()
    inherit_cache = True
    name = 'quantity_add'


class total(sa.sql.functions.GenericFunction[Decimal]):  # noqa: N801
    """The exact sum of a column of quantities; null where there is none."""

    type = Quantity()
    inherit_cache = True
    name = 'quantity_sum'


class squares(sa.sql.functions.GenericFunction[Decimal]):  # noqa: N801
    """The exact sum, of scale 18, of the squares of a column."""

    type = Quantity()
    inherit_cache = True
    name = 'quantity_squares'


class lesser(sa.sql.functions.ReturnTypeFromArgs[Any]):  # noqa: N801
    """The lesser of two values; where the first is null, the second."""

    inherit_cache = True


class greater(sa.sql.functions.ReturnTypeFromArgs[Any]):  # noqa: N801
    """The greater of two values; where the first is null, the second."""

    inherit_cache = True


def _spelling(function: type[Any], **forms: str) -> None:
    """How a function is spelled, by the dialect's name.

    A form may name the arguments as {0} and {1}.
    """
    for name, form in forms.items():
        def spell(element: Any, compiler: Any, form: str = form,
                  **options: Any) -> str:
            return form.format(*(compiler.process(clause, **options)
                                 for clause in element.clauses))
        compiles(function, name)(spell)


for _server in ('postgresql', _MYSQL):
    _spelling(add, **{_server: '({0} + {1})'})
    _spelling(total, **{_server: 'sum({0})'})
    _spelling(squares, **{_server: 'sum({0} * {0})'})
    _spelling(lesser, **{_server: 'coalesce(least({0}, {1}), {1})'})
    _spelling(greater, **{_server: 'coalesce(greatest({0}, {1}), {1})'})
# The two-place min() and max() compare by the collation of their arguments.
_spelling(lesser, sqlite='coalesce(min({0}, {1}), {1})')
_spelling(greater, sqlite='coalesce(max({0}, {1}), {1})')


class lowest(sa.sql.functions.ReturnTypeFromArgs[Any]):  # noqa: N801
    """The least of a column of quantities."""

    inherit_cache = True


class highest(sa.sql.functions.ReturnTypeFromArgs[Any]):  # noqa: N801
    """The greatest of a column of quantities."""

    inherit_cache = True


class quotient(sa.sql.functions.GenericFunction[int]):  # noqa: N801
    """The quotient of two integers, rounded towards zero."""

    type = sa.BigInteger()
    inherit_cache = True


class month(sa.sql.functions.GenericFunction[int]):  # noqa: N801
    """Where the UTC month begins that an instant lies in.

    Both are microseconds since 1970, and not before that.
    """

    type = sa.BigInteger()
    inherit_cache = True
    name = 'month_of'


class matches(sa.sql.functions.GenericFunction[bool]):  # noqa: N801
    """Whether a regular expression is found in a text; see sqlite.py."""

    type = sa.Boolean()
    inherit_cache = True
    name = 'text_matches'


class number_less(sa.sql.functions.GenericFunction[bool]):  # noqa: N801
    """Whether one number is less than another; both are spelled in texts."""

    type = sa.Boolean()
    inherit_cache = True


class hexadecimal(sa.sql.functions.GenericFunction[str]):  # noqa: N801
    """A key as 32 hexadecimal digits."""

    type = sa.String()
    inherit_cache = True


_spelling(matches, postgresql='({0} ~ {1})', **{_MYSQL: '({0} REGEXP {1})'})
# MariaDB's decimals end at 35 digits before the point and 30 behind it; what
# lies beyond is ordered by doubles.
_spelling(number_less, sqlite='({0} COLLATE quantity < {1})',
          postgresql='(({0})::numeric < ({1})::numeric)',
          **{_MYSQL: '((CAST({0} AS DOUBLE), CAST({0} AS DECIMAL(65, 30))) < '
                     '(CAST({1} AS DOUBLE), CAST({1} AS DECIMAL(65, 30))))'})
_spelling(hexadecimal, sqlite='lower(hex({0}))',
          postgresql='replace(({0})::text, \'-\', \'\') COLLATE "C"',
          **{_MYSQL: 'lower(hex({0}))'})

for _server in ('postgresql', _MYSQL):
    _spelling(lowest, **{_server: 'min({0})'})
    _spelling(highest, **{_server: 'max({0})'})
# What min() returned has lost the collation of its column.
_spelling(lowest, sqlite='min({0} COLLATE quantity)')
_spelling(highest, sqlite='max({0} COLLATE quantity)')
_spelling(month,
          sqlite="(CAST(strftime('%s', {0} / 1000000, 'unixepoch', "
                 "'start of month') AS INTEGER) * 1000000)",
          # Whole days; with no zone, which a session may have another one of.
          postgresql='(({0} / 86400000000 - CAST(extract(day FROM '
                     "DATE '1970-01-01' + CAST({0} / 86400000000 AS integer)) "
                     'AS bigint) + 1) * 86400000000)',
          **{_MYSQL: '(({0} DIV 86400000000 - dayofmonth(date_add('
                     "'1970-01-01', INTERVAL {0} DIV 86400000000 DAY)) + 1) "
                     '* 86400000000)'})
_spelling(quotient, sqlite='(({0}) / ({1}))',
          postgresql='(({0}) / ({1}))',
          **{_MYSQL: '(({0}) DIV ({1}))'})


def ids(conn: sa.Connection, found: sa.Select[int]
        ) -> sa.Select[int] | Sequence[int]:
    """What IN takes to mean the ids that a select finds.

    MariaDB joins by the first column of a key only, so it would read a
    series' whole history for an hour of it; with the ids in the statement it
    reads the range of both columns. The same transaction sees the same ids.
    """
    if conn.dialect.name == _MYSQL:
        return conn.scalars(found).all()
    return found
