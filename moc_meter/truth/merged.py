# SPDX-License-Identifier: Apache-2.0
"""Things of many makers, each in order of time, taken in order of time."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from typing import Generic, Protocol, TypeVar

from moc_meter.truth.forms import Instant


class Timed(Protocol):
    """What has an instant."""

    @property
    def timestamp(self) -> Instant:
        """When it was."""


Thing = TypeVar('Thing', bound=Timed)


class Merged(Generic[Thing]):
    """Makers may come later, as long as they are not late."""

    def __init__(self, makers: Iterable[Iterator[Thing]] = ()) -> None:
        self._count = 0
        self._next: list[tuple[Instant, int, Thing, Iterator[Thing]]] = []
        for maker in makers:
            self.add(maker)

    def add(self, maker: Iterator[Thing]) -> None:
        """One more."""
        thing = next(maker, None)
        if thing is not None:
            self._count += 1
            heapq.heappush(self._next,
                           (thing.timestamp, self._count, thing, maker))

    def until(self, end: Instant) -> Iterator[Thing]:
        """All before an instant."""
        while self._next and self._next[0][0] < end:
            _, count, thing, maker = self._next[0]
            yield thing
            after = next(maker, None)
            if after is None:
                heapq.heappop(self._next)
            else:
                heapq.heapreplace(
                    self._next, (after.timestamp, count, after, maker))
