# SPDX-License-Identifier: Apache-2.0
"""The job that drops samples by age."""

from __future__ import annotations

import datetime
import logging

from moc_meter.model import period
from moc_meter.storage.samples.base import SampleStore

LOG = logging.getLogger(__name__)


def drop(store: SampleStore, keep: datetime.timedelta, by: str,
         now: datetime.datetime) -> None:
    """Drop the samples that are older than they are kept.

    by: who it is that drops, for the journal.
    """
    until = border(keep, now)
    if samples := store.expire(until, now, by):
        LOG.info('samples dropped until=%s samples=%d', until.isoformat(),
                 samples)


def border(keep: datetime.timedelta,
           now: datetime.datetime) -> datetime.datetime:
    """Samples before it are old enough to go: a border of UTC days."""
    return period.floor(now - keep, period.DAY)
