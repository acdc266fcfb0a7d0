# SPDX-License-Identifier: Apache-2.0
"""Whether to ask again, and when."""

from __future__ import annotations

import datetime
import email.utils

#: Answers after which the same question may be answered.
AGAIN = frozenset((429, 502, 503, 504))
#: First and longest pause in seconds, where the service does not say.
FIRST, LONGEST = 0.1, 10.0


def pause(told: float | None, growing: float, waited: float,
          patience: float) -> float | None:
    """Seconds until the next attempt; None where patience is at its end.

    told: what the service asked for; it is never asked earlier than that.
    growing: what the caller would wait otherwise.
    waited: seconds since the first attempt.
    """
    seconds = growing if told is None else max(told, growing)
    return seconds if waited + seconds <= patience else None


def after(header: str | None, now: datetime.datetime) -> float | None:
    """What Retry-After says, in seconds from now; None where it is none."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        then = email.utils.parsedate_to_datetime(header)
    except ValueError:
        return None
    if then.tzinfo is None:
        then = then.replace(tzinfo=datetime.UTC)
    return max((then - now).total_seconds(), 0.0)
