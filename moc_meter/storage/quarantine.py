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


def put(conn: sa.Connection, refused: Sequence[Refused],
        now: datetime.datetime) -> None:
    """Keep each content and code once, however often it comes."""
    rows = {_digest(one): {
        'digest': _digest(one), 'received_at': now, 'origin': one.origin,
        'code': one.code, 'reason': one.reason, 'content': one.content}
        for one in refused}
    if rows:
        numbering.insert(conn, tables.quarantine,
                         [row for _, row in sorted(rows.items())])


def _digest(refused: Refused) -> bytes:
    return hashlib.sha256(refused.code.encode() + b'\0'
                          + refused.content).digest()
