# SPDX-License-Identifier: Apache-2.0
"""The job that drops samples, or events, by age."""

from __future__ import annotations

import datetime
import logging
import threading

from moc_meter.model import period
from moc_meter.model.query import RetentionLevel
from moc_meter.storage.samples.base import SampleStore

LOG = logging.getLogger(__name__)


def drop(store: SampleStore, level: RetentionLevel,
         keep: datetime.timedelta, by: str, now: datetime.datetime,
         stop: threading.Event) -> None:
    """Drop what is older than it is kept.

    by: who it is that drops, for the journal.
    """
    until = border(keep, now)
    if items := store.expire(level, until, now, by, stop):
        LOG.info('dropped by age: level=%s until=%s items=%d', level,
                 until.isoformat(), items)


def border(keep: datetime.timedelta,
           now: datetime.datetime) -> datetime.datetime:
    """What is before it is old enough to go: a border of UTC days."""
    return period.floor(now - keep, period.DAY)
