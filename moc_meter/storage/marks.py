# SPDX-License-Identifier: Apache-2.0
"""What must be derived again: days of resources of which something was said.

Marks are appended, never looked for: the job that takes them takes all of a
resource and day at once.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import sqlalchemy as sa

from moc_meter.model import period
from moc_meter.model.sample import Sample
from moc_meter.storage import staging
from moc_meter.storage.tables import samples as tables


def append(conn: sa.Connection, samples: Sequence[Sample]) -> None:
    """Mark the day of each sample's resource, once a batch.

    Redelivered samples mark too: a store without atomic commits may have
    kept the sample and lost the mark.
    """
    said = sorted({(one.source, one.resource_id, one.timestamp.date())
                   for one in samples})
    begins = {day: period.microseconds(datetime.datetime.combine(
        day, datetime.time(), datetime.UTC))
        for day in {day for _, _, day in said}}
    staging.load(conn, _MARK, [(source, resource_id, begins[day])
                               for source, resource_id, day in said])


_MARK = staging.plain(tables.mark)
