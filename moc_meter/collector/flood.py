# SPDX-License-Identifier: Apache-2.0
"""When bad samples are so many that the fault must be ours."""

from __future__ import annotations

from collections import deque

from moc_meter import errors

#: Of so many samples that were tried last …
WINDOW = 1000
#: … so many may be bad: a tenth.
ALLOWED = 100


class FloodGate:
    """Watches what a store refuses for no reason that admission knows.

    More than 100 bad ones among the last 1000 samples are no accident of
    their producers: a full disk, a wrong schema or a fault in our code looks
    like that. What admission refuses is not counted here: one agent with a
    wrong clock must not stop the others.
    """

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._tried: deque[tuple[int, int]] = deque()
        self._samples = 0
        self._bad = 0

    def passed(self, samples: int) -> None:
        """So many samples were taken."""
        self._add(samples, 0)

    def failed(self) -> None:
        """One sample was refused, alone.

        Raises QuarantineFlood where it is one too many; the count then
        begins anew, so that the next try is judged by itself.
        """
        self._add(1, 1)
        if self._bad > ALLOWED:
            facts = {'bad': self._bad, 'of_the_last': self._samples}
            self._begin()
            raise errors.QuarantineFlood(
                'too many samples cannot be stored', **facts)

    def _add(self, samples: int, bad: int) -> None:
        self._tried.append((samples, bad))
        self._samples += samples
        self._bad += bad
        while self._samples - self._tried[0][0] >= WINDOW:
            gone_samples, gone_bad = self._tried.popleft()
            self._samples -= gone_samples
            self._bad -= gone_bad
