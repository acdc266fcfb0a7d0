# SPDX-License-Identifier: Apache-2.0
"""What is made out of two readings of a counter.

Clients that are older than us ask for rates as samples. Whoever reads the
counters can derive them more exactly, over any time.
"""

from __future__ import annotations

import decimal
from dataclasses import dataclass
from decimal import Decimal

#: Nanoseconds after which a reading is forgotten: its guest is gone.
_KEPT = 24 * 3600 * 10 ** 9
_SECOND = 10 ** 9
_WIDE = decimal.Context(prec=60)


@dataclass(frozen=True, slots=True)
class Change:
    """How a counter went on from one reading to the next."""

    amount: int | None              # None where it began anew
    elapsed: int                    # ns of the monotonic clock

    def per_second(self) -> Decimal | None:
        """Amount in a second; None where it began anew, or no time passed.
        """
        return self.share(_SECOND)

    def share(self, times: int, among: int = 1) -> Decimal | None:
        """times x amount / ns / among; None as above.

        Not rounded to the digits that a sample may have.
        """
        if self.amount is None or self.elapsed <= 0 or among <= 0:
            return None
        return _WIDE.divide(Decimal(times * self.amount),
                            Decimal(self.elapsed * among))


class Readings:
    """The last reading of each counter; those of a day, in one process."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, ...], tuple[int, int, str | None]] = {}

    def change(self, counter: tuple[str, ...], figure: int,
               at: int, run: str | None) -> Change | None:
        """Since the reading before, which this one takes the place of.

        counter: the instance's uuid, then what is counted of which part.
        at: ns of the monotonic clock, when it was read.
        run: the instance's; in another one the counter began anew, even
            where it is the larger one.
        None where there was none.
        """
        before = self._last.pop(counter, None)
        self._last[counter] = figure, at, run
        self._forget(at - _KEPT)
        if before is None:
            return None
        grown = figure >= before[0] and run == before[2]
        return Change(figure - before[0] if grown else None, at - before[1])

    def _forget(self, until: int) -> None:
        """Readings stand in the order in which they were made."""
        while self._last:
            oldest = next(iter(self._last))
            if self._last[oldest][1] >= until:
                break
            del self._last[oldest]
