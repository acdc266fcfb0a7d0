# SPDX-License-Identifier: Apache-2.0
"""What was refused, with its bytes and reason."""

from __future__ import annotations

import datetime
import hashlib
import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from moc_meter.model.sample import Refused
from moc_meter.storage import numbering
from moc_meter.storage.tables import samples as tables

_TABLE = tables.quarantine


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which rows are meant; every rule must hold, None is no rule.

    start, end: [start, end) of when it was received.
    """

    code: str | None = None
    origin: str | None = None
    start: datetime.datetime | None = None
    end: datetime.datetime | None = None

    def rules(self) -> list[sa.ColumnElement[bool]]:
        of = _TABLE.c
        return [compare(column, value) for column, compare, value in (
            (of.code, operator.eq, self.code),
            (of.origin, operator.eq, self.origin),
            (of.received_at, operator.ge, self.start),
            (of.received_at, operator.lt, self.end)) if value is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A row."""

    id: int
    received_at: datetime.datetime
    refused: Refused
    whole: bool                     # not only the beginning of its content


#: Bytes of one content that are kept. MariaDB ends the connection over what
#: is longer than its max_allowed_packet (16 MiB, and bytes travel to it twice
#: as long), and what cannot be set aside would be tried again for ever.
MAX_CONTENT = 4 * 1024 * 1024
#: Rows that one transaction of a purge looks at.
_BATCH = 500


def put(conn: sa.Connection, refused: Sequence[Refused],
        now: datetime.datetime) -> None:
    """Keep each content and code once, however often it comes.

    Of a content that is too long its beginning is kept, and the reason says
    so.
    """
    rows = {(_digest(one), one.code): {
        'digest': _digest(one), 'received_at': now, 'origin': one.origin,
        'source': one.source, 'code': one.code, 'reason': _reason(one),
        'content': one.content[:MAX_CONTENT]} for one in refused}
    if rows:
        numbering.insert(conn, _TABLE,
                         [row for _, row in sorted(rows.items())])


def _reason(refused: Refused) -> str:
    if len(refused.content) <= MAX_CONTENT:
        return refused.reason
    return (f'{refused.reason} (only the beginning is kept: '
            f'bytes={len(refused.content)}, limit={MAX_CONTENT})')


def ids(conn: sa.Connection, chosen: Chosen) -> list[int]:
    """Those of the chosen rows, oldest first."""
    return list(conn.scalars(sa.select(_TABLE.c.id).where(*chosen.rules())
                             .order_by(_TABLE.c.id)))


def rows(conn: sa.Connection, chosen: Chosen) -> Iterator[Kept]:
    """The chosen rows, oldest first; a few at a time are in memory."""
    found = conn.execution_options(yield_per=100).execute(
        sa.select(_TABLE).where(*chosen.rules()).order_by(_TABLE.c.id))
    return map(_kept, found)


def known(conn: sa.Connection, column: str) -> list[str]:
    """The codes, or the origins, that rows have."""
    return list(conn.scalars(sa.select(_TABLE.c[column]).distinct()
                             .order_by(_TABLE.c[column])))


def find(conn: sa.Connection, number: int) -> Kept | None:
    row = conn.execute(sa.select(_TABLE)
                       .where(_TABLE.c.id == number)).one_or_none()
    return None if row is None else _kept(row)


def remove(conn: sa.Connection, number: int) -> bool:
    """Whether the row was there; others who take it wait till the end."""
    return conn.execute(sa.delete(_TABLE)
                        .where(_TABLE.c.id == number)).rowcount == 1


def bounds(conn: sa.Connection) -> tuple[int, int]:
    """(first, last]: every row's number lies within; (0, 0) without rows."""
    first, last = conn.execute(sa.select(
        sa.func.min(_TABLE.c.id) - 1, sa.func.max(_TABLE.c.id))).one()
    return first or 0, last or 0


def purge(conn: sa.Connection, chosen: Chosen, after: int,
          last: int) -> tuple[int, int]:
    """Remove for ever the chosen ones of the next rows in (after, last].

    Returns how many they were, and up to where it looked.
    """
    of = _TABLE.c.id
    until = conn.scalar(sa.select(of).where(of > after).order_by(of)
                        .offset(_BATCH - 1).limit(1))
    until = last if until is None else min(until, last)
    return conn.execute(sa.delete(_TABLE).where(
        of > after, of <= until, *chosen.rules())).rowcount, until


def amend(conn: sa.Connection, number: int, refused: Refused) -> None:
    """Say anew why a row's content is refused.

    Where another row has the same content and code, the row goes.
    """
    try:
        with conn.begin_nested():
            conn.execute(sa.update(_TABLE).where(_TABLE.c.id == number)
                         .values(code=refused.code, reason=refused.reason))
    except sa.exc.IntegrityError:
        remove(conn, number)


def _kept(row: sa.Row[tuple[object, ...]]) -> Kept:
    refused = Refused(
        content=bytes(row.content), code=row.code, reason=row.reason,
        origin=row.origin, source=row.source)
    return Kept(id=row.id, received_at=row.received_at, refused=refused,
                whole=bytes(row.digest) == _digest(refused))


def _digest(refused: Refused) -> bytes:
    """Of all the content: of a long one only the beginning is kept."""
    return hashlib.sha256((refused.source or '').encode() + b'\0'
                          + refused.content).digest()
