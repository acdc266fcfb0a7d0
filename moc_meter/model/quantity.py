# SPDX-License-Identifier: Apache-2.0
"""Exact arithmetic with quantities.

Python's ambient decimal context rounds to 28 digits without a word, and a
month of byte-seconds has more. So quantities are added here and nowhere else;
what would lose a digit raises decimal.Inexact.
"""

from __future__ import annotations

import decimal
import functools
from collections.abc import Iterable
from decimal import Decimal

#: Fractional digits that a stored quantity has.
SCALE = 9
#: A sample's volume is smaller than this in magnitude, so that 10**9 of
#: them still fit 38 digits.
LIMIT = Decimal(10) ** 20

#: What is not below it is rounded to LIMIT: half to even.
_BORDER = Decimal('99999999999999999999.9999999995')
_UNIT = Decimal('0.000000001')
_TRAPS = [decimal.Inexact, decimal.InvalidOperation, decimal.Overflow]
_EXACT = decimal.Context(prec=120, traps=_TRAPS)
_ROUNDING = decimal.Context(prec=120, rounding=decimal.ROUND_HALF_EVEN)


def add(one: Decimal, other: Decimal) -> Decimal:
    """The sum, to the last digit."""
    return _EXACT.add(one, other)


def subtract(one: Decimal, other: Decimal) -> Decimal:
    """The difference, to the last digit."""
    return _EXACT.subtract(one, other)


def multiply(one: Decimal, other: Decimal) -> Decimal:
    """The product, to the last digit."""
    return _EXACT.multiply(one, other)


def total(values: Iterable[Decimal]) -> Decimal:
    """The sum of all values, to the last digit; 0 where there is none."""
    return functools.reduce(add, values, Decimal(0))


def is_bounded(value: Decimal) -> bool:
    """Whether the value, as it would be stored, is below LIMIT in magnitude.

    abs() would round it to the 28 digits of the ambient context.
    """
    return value.copy_abs() < _BORDER


def rounded(value: Decimal) -> Decimal:
    """The value at scale 9, half to even: what may be stored."""
    return value.quantize(_UNIT, context=_ROUNDING)


def floor(value: Decimal) -> Decimal:
    """The greatest quantity of scale 9 that is not above the value."""
    return value.quantize(_UNIT, decimal.ROUND_FLOOR, _ROUNDING)


def text(value: Decimal) -> str:
    """The one way to write a quantity: '-0.5', '12', never '1E+1'.

    Zeros that say nothing are left out, and zero has no sign, so that equal
    quantities have equal text.
    """
    shown = str(value)
    if 'E' in shown:
        shown = format(value, 'f')
    if '.' in shown:
        shown = shown.rstrip('0').rstrip('.')
    return '0' if shown in ('-0', '') else shown
