# SPDX-License-Identifier: Apache-2.0
"""Instants as this API reads and writes them."""

from __future__ import annotations

import datetime
import re

from moc_meter.model import period

#: Where period.EPOCH is on a clock that knows of no zone.
_EPOCH = period.EPOCH.replace(tzinfo=None)
_FORM = re.compile(
    r'(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)'
    r'([T ](?P<hour>\d\d)(:(?P<minute>\d\d)(:(?P<second>\d\d)'
    r'(\.(?P<fraction>\d+))?)?)?'
    r'(?P<zone>Z|(?P<sign>[+-])(?P<zone_hour>\d\d)(:?(?P<zone_minute>\d\d))?'
    r')?)?', re.ASCII)
_FIELDS = ('year', 'month', 'day', 'hour', 'minute', 'second')


def parse(text: str) -> datetime.datetime:
    """The instant, in UTC; without a zone it is in UTC already.

    text: an ISO 8601 calendar date, with hours, minutes, seconds and
        fraction as far as they are said; what lies below a microsecond is
        cut off.
    Raises ValueError.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError('invalid timestamp format')
    said = found.groupdict()
    try:
        year, month, day, hour, minute, second = (
            int(said[name] or 0) for name in _FIELDS)
        local = datetime.datetime(
            year, month, day, hour, minute, second,
            int((said['fraction'] or '')[:6].ljust(6, '0')), datetime.UTC)
        return local - _offset(said)
    except (ValueError, OverflowError):
        raise ValueError('invalid timestamp format') from None


def _offset(said: dict[str, str | None]) -> datetime.timedelta:
    if said['sign'] is None:
        return datetime.timedelta(0)
    hours, minutes = int(said['zone_hour'] or 0), int(said['zone_minute'] or 0)
    if hours > 23 or minutes > 59:
        raise ValueError('no such offset')
    offset = datetime.timedelta(hours=hours, minutes=minutes)
    return -offset if said['sign'] == '-' else offset


def show(instant: datetime.datetime) -> str:
    """UTC without a zone; the fraction only where there is one.

    isoformat() takes twice as long where it has a zone to write.
    """
    return (_EPOCH + (instant - period.EPOCH)).isoformat()
