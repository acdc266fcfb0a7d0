# SPDX-License-Identifier: Apache-2.0
"""What the three databases spell differently.

No other module may ask for the dialect's name.
"""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql

from moc_meter.model import period

_MYSQL = ('mysql', 'mariadb')


def text(length: int) -> sa.types.TypeEngine[str]:
    """A text column that is compared by code point on every database.

    MariaDB's utf8mb4_bin would take 'a' and 'a ' for one.
    """
    return (sa.String(length)
            .with_variant(postgresql.VARCHAR(length, collation='C'),
                          'postgresql')
            .with_variant(mysql.VARCHAR(length, charset='utf8mb4',
                                        collation='utf8mb4_nopad_bin'),
                          *_MYSQL))


def long_text() -> sa.types.TypeEngine[str]:
    """Text without a bound of its own, compared as text() is."""
    return (sa.Text()
            .with_variant(postgresql.TEXT(collation='C'), 'postgresql')
            .with_variant(mysql.LONGTEXT(charset='utf8mb4',
                                         collation='utf8mb4_nopad_bin'),
                          *_MYSQL))


class Instant(sa.TypeDecorator[datetime.datetime]):
    """An aware instant in UTC, as whole microseconds since 1970.

    An integer, since it is the same on every database: no session's time
    zone touches it, SQLite compares it as a number, and the place of an
    instant among periods is one exact division.
    """

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime.datetime | None,
                           dialect: sa.Dialect) -> int | None:
        return None if value is None else period.microseconds(value)

    def process_result_value(self, value: int | None, dialect: sa.Dialect
                             ) -> datetime.datetime | None:
        return None if value is None else period.instant(int(value))


class Quantity(sa.TypeDecorator[Decimal]):
    """An exact decimal of scale 9.

    SQLite has no decimals and would make a binary float of it, so there it
    is kept as text, with a collation that compares numbers; sums and
    additions are functions that engine.py registers.
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
        return format(value, '.9f')

    def process_result_value(self, value: Decimal | str | None,
                             dialect: sa.Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


class Key(sa.TypeDecorator[uuid.UUID]):
    """16 bytes: PostgreSQL's uuid, elsewhere binary."""

    impl = sa.LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect
                          ) -> sa.types.TypeEngine[Any]:
        if dialect.name == 'postgresql':
            return dialect.type_descriptor(postgresql.UUID(as_uuid=True))
        if dialect.name in _MYSQL:
            return dialect.type_descriptor(mysql.BINARY(16))
        return dialect.type_descriptor(sa.LargeBinary(16))

    def process_bind_param(self, value: uuid.UUID | None,
                           dialect: sa.Dialect
                           ) -> uuid.UUID | bytes | None:
        if value is None or dialect.name == 'postgresql':
            return value
        return value.bytes

    def process_result_value(self, value: uuid.UUID | bytes | None,
                             dialect: sa.Dialect) -> uuid.UUID | None:
        return uuid.UUID(bytes=value) if isinstance(value, bytes) else value


def digest(length: int = 32) -> sa.types.TypeEngine[bytes]:
    """A column for a digest, of fixed length where the database can."""
    return sa.LargeBinary(length).with_variant(mysql.BINARY(length), *_MYSQL)


def content() -> sa.types.TypeEngine[bytes]:
    """A column for bytes of any length."""
    return sa.LargeBinary().with_variant(mysql.LONGBLOB(), *_MYSQL)
