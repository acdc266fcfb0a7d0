# SPDX-License-Identifier: Apache-2.0
"""What was refused, with its bytes and reason."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Sequence

import sqlalchemy as sa

from moc_meter.model.sample import Refused
from moc_meter.storage import numbering
from moc_meter.storage.tables import samples as tables

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
        numbering.insert(conn, tables.quarantine,
                         [row for _, row in sorted(rows.items())])


def _reason(refused: Refused) -> str:
    if len(refused.content) <= MAX_CONTENT:
        return refused.reason
    return (f'{refused.reason} (only the beginning is kept: '
            f'bytes={len(refused.content)}, limit={MAX_CONTENT})')


def _digest(refused: Refused) -> bytes:
    return hashlib.sha256(refused.code.encode() + b'\0'
                          + refused.content).digest()
