# SPDX-License-Identifier: Apache-2.0
"""Instants, in UTC, and the half-open stretches of time between them."""

from __future__ import annotations

import datetime

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
MICROSECOND = datetime.timedelta(microseconds=1)
HOUR = datetime.timedelta(hours=1)
DAY = datetime.timedelta(days=1)


def microseconds(instant: datetime.datetime) -> int:
    """Microseconds since 1970-01-01T00:00Z; exact, negative before it."""
    return (instant - EPOCH) // MICROSECOND


def instant(value: int) -> datetime.datetime:
    """The instant so many microseconds after 1970-01-01T00:00Z."""
    return EPOCH + value * MICROSECOND


def floor(moment: datetime.datetime,
          step: datetime.timedelta) -> datetime.datetime:
    """The last whole step since 1970 that is not after the moment."""
    return EPOCH + (moment - EPOCH) // step * step


def ceiling(moment: datetime.datetime,
            step: datetime.timedelta) -> datetime.datetime:
    """The first whole step since 1970 that is not before the moment."""
    return EPOCH - (EPOCH - moment) // step * step
