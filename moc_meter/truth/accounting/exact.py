# SPDX-License-Identifier: Apache-2.0
"""Quantities, and how they and instants are written in accounts.

Quantities are whole units of 10**-9, instants whole microseconds.
"""

from __future__ import annotations

from fractions import Fraction

from moc_meter.truth import calendar
from moc_meter.truth.forms import SECOND, UNIT, Instant


def rounded(amount: Fraction) -> int:
    """R(x): an amount in units of 10**-9, half to even."""
    return round(amount)


def spent(level: Fraction, microseconds: int) -> Fraction:
    """What a level, a second, comes to in some microseconds."""
    return level * microseconds / SECOND


def quantity_text(quantity: int) -> str:
    """A quantity with its nine fractional digits: '33.333333333'."""
    return _fixed(quantity, UNIT, 9)


def seconds_text(microseconds: int) -> str:
    """A length of time in seconds with six fractional digits."""
    return _fixed(microseconds, SECOND, 6)


def ratio_text(part: int, whole: int) -> str:
    """A ratio, rounded half to even to nine fractional digits."""
    return quantity_text(rounded(Fraction(part * UNIT, whole)))


def _fixed(number: int, one: int, digits: int) -> str:
    whole, rest = divmod(abs(number), one)
    return f'{"-" if number < 0 else ""}{whole}.{rest:0{digits}d}'


def instant_text(instant: Instant) -> str:
    """2026-03-01T00:00:00.000000Z."""
    return calendar.moment(instant).strftime('%Y-%m-%dT%H:%M:%S.%fZ')
