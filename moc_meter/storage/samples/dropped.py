# SPDX-License-Identifier: Apache-2.0
"""Up to where retention has dropped samples, and events.

The border moves in a transaction of its own, before the first sample goes,
and never back. It moves when nobody writes: so who has seen the old border
has written before anything is dropped, and who comes later knows that the
sample is too old. Who reads looks at the border afterwards: what lies above
it was whole.
"""

from __future__ import annotations

import sqlalchemy as sa

from moc_meter.model.query import RetentionLevel
from moc_meter.storage import engine as transactions
from moc_meter.storage import staging
from moc_meter.storage.tables import samples as tables

journal = staging.plain(tables.retention)


def border(conn: sa.Connection,
           level: RetentionLevel = RetentionLevel.SAMPLES) -> int:
    """What is before it is dropped; microseconds since 1970, 0: nothing.

    It stays till the end of a transaction that holds the generation of the
    database, see generation.held(): the statement before this one.
    """
    return int(transactions.scalar(conn, _BORDERS[level]) or 0)


_BORDERS = {level: sa.select(sa.func.max(journal.c.until)).where(
    journal.c.level == level.value) for level in RetentionLevel}
