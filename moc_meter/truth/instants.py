# SPDX-License-Identifier: Apache-2.0
"""Instants as the service's API writes them, and as it reads them."""

from __future__ import annotations

import datetime

from moc_meter.truth import calendar
from moc_meter.truth.forms import SECOND, Instant

#: The first and the last instant of the calendar.
FIRST = calendar.instant(
    datetime.datetime.min.replace(tzinfo=datetime.UTC))
LAST = calendar.instant(datetime.datetime.max.replace(tzinfo=datetime.UTC))


def parse(text: str, *, zone: bool = True) -> Instant:
    """The instant of an ISO 8601 date and time; in UTC where it names none.

    zone: False reads the figures and leaves the offset aside.
    Raises ValueError.
    """
    said = datetime.datetime.fromisoformat(text)
    if said.tzinfo is None or not zone:
        said = said.replace(tzinfo=datetime.UTC)
    return calendar.instant(said)


def read(said: object) -> Instant | None:
    """Likewise of what a service said; None where that is no instant."""
    try:
        return parse(said) if isinstance(said, str) else None
    except (ValueError, OverflowError):
        return None


def show(instant: Instant) -> str:
    """In UTC without a zone; the fraction only where there is one."""
    return calendar.moment(instant).replace(tzinfo=None).isoformat()


def show_length(microseconds: int) -> str:
    """A stretch of time: '-2:00:00', '1 day, 0:00:00.000001'."""
    sign = '-' if microseconds < 0 else ''
    return sign + str(datetime.timedelta(microseconds=abs(microseconds)))


def spelled(instant: Instant, offset: int) -> str:
    """As clocks show it that are so many minutes ahead of UTC."""
    sign = '-' if offset < 0 else '+'
    local = show(instant + offset * 60 * SECOND)
    return f'{local}{sign}{abs(offset) // 60:02}:{abs(offset) % 60:02}'
