# SPDX-License-Identifier: Apache-2.0
"""Answers as text: JSON lines, or a table for a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from moc_meter.cmd import text
from moc_meter.terminal import harmless

#: A cell is cut to so many characters.
_WIDEST = 40


def lines(rows: Sequence[Any]) -> Iterator[str]:
    """One JSON object a row; an exact figure has all its digits."""
    return map(line, rows)


def line(value: object) -> str:
    """The value as JSON."""
    return text.line(value, _leaf)


def _leaf(value: object) -> str:
    return (exact(value) if isinstance(value, Fraction | Decimal)
            else json.dumps(value, ensure_ascii=False))


def exact(value: Fraction | Decimal) -> str:
    """All the digits of a number that has finitely many; else a double."""
    number = Fraction(value)
    digits = 0
    while digits < 40 and number.denominator != 1:
        number, digits = number * 10, digits + 1
    if number.denominator != 1:
        return repr(float(value))
    figures = str(abs(number.numerator)).rjust(digits + 1, '0')
    point = len(figures) - digits
    whole, rest = figures[:point], figures[point:]
    return ('-' if number < 0 else '') + (f'{whole}.{rest}' if digits
                                          else whole)


def table(rows: Sequence[Any]) -> Iterator[str]:
    """A column for each name that a row has."""
    if not all(isinstance(row, Mapping) for row in rows):
        yield from lines(rows)
        return
    names = list(dict.fromkeys(name for row in rows for name in row))
    if not names:
        return
    cells = [[_cell(row.get(name)) for name in names] for row in rows]
    widths = [max(map(len, column)) for column in zip(names, *cells,
                                                      strict=True)]
    for row in [names, *cells]:
        yield '  '.join(cell.ljust(width) for cell, width in zip(
            row, widths, strict=True)).rstrip()


def _cell(value: object) -> str:
    shown = harmless('' if value is None else value
                       if isinstance(value, str) else line(value))
    return shown if len(shown) <= _WIDEST else shown[:_WIDEST - 1] + '…'
