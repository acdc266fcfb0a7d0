# SPDX-License-Identifier: Apache-2.0
"""How far back one must look for so many samples. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Cell(NamedTuple):
    """What a bucket of a rollup says; instants in microseconds since 1970.

    There is a sample at ``first`` and one at ``last``.
    """

    first: int
    last: int
    samples: int


def reach(cells: Iterable[Cell], lower: int, upper: int,
          wanted: int) -> int | None:
    """The latest instant since which so many samples surely lie.

    cells: of series and stretches of time that do not overlap; more of them
        can only bring the instant nearer.
    lower, upper: only samples in [lower, upper) count.
    None where the cells do not warrant so many.
    """
    known = 0
    for instant, samples in sorted(_sure(cells, lower, upper), reverse=True):
        known += samples
        if known >= wanted:
            return instant
    return None


def _sure(cells: Iterable[Cell], lower: int,
          upper: int) -> Iterable[tuple[int, int]]:
    """Instants, and how many more samples there are since each."""
    for cell in cells:
        if lower <= cell.first and cell.last < upper:
            yield cell.last, 1
            yield cell.first, cell.samples - 1
        elif lower <= cell.first < upper:
            yield cell.first, 1
        elif lower <= cell.last < upper:
            yield cell.last, 1
