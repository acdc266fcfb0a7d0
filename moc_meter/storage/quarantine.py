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
#: Bytes of one content that are kept. MariaDB ends the connection over what
#: is longer than its max_allowed_packet (16 MiB, and bytes travel to it twice
#: as long), and what cannot be set aside would be tried again for ever.
MAX_CONTENT = 4 * 1024 * 1024


def put(conn: sa.Connection, refused: Sequence[Refused],
        now: datetime.datetime) -> None:
    """Keep each content and code once, however often it comes.

    Of a content that is too long its beginning is kept, and the reason says
    so.
    """
    rows = {_digest(one): {
        'digest': _digest(one), 'received_at': now, 'origin': one.origin,
        'code': one.code, 'reason': _reason(one),
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


def find(conn: sa.Connection, number: int) -> Kept | None:
    row = conn.execute(sa.select(_TABLE)
                       .where(_TABLE.c.id == number)).one_or_none()
    return None if row is None else _kept(row)


def remove(conn: sa.Connection, number: int) -> bool:
    """Whether the row was there; others who take it wait till the end."""
    return conn.execute(sa.delete(_TABLE)
                        .where(_TABLE.c.id == number)).rowcount == 1


def purge(conn: sa.Connection, chosen: Chosen) -> int:
    """Remove the chosen rows for ever; how many they were."""
    return conn.execute(sa.delete(_TABLE).where(*chosen.rules())).rowcount


def amend(conn: sa.Connection, number: int, refused: Refused) -> None:
    """Say anew why a row's content is refused.

    Where another row has the same content and code, the row goes.
    """
    other = conn.scalar(sa.select(_TABLE.c.id).where(
        _TABLE.c.digest == _digest(refused), _TABLE.c.id != number))
    if other is not None:
        remove(conn, number)
        return
    conn.execute(sa.update(_TABLE).where(_TABLE.c.id == number).values(
        digest=_digest(refused), code=refused.code, reason=refused.reason))


def _kept(row: sa.Row[tuple[object, ...]]) -> Kept:
    return Kept(id=row.id, received_at=row.received_at, refused=Refused(
        content=bytes(row.content), code=row.code, reason=row.reason,
        origin=row.origin))


def _digest(refused: Refused) -> bytes:
    return hashlib.sha256(refused.code.encode() + b'\0'
                          + refused.content).digest()
