# SPDX-License-Identifier: Apache-2.0
"""The contract of a way out of the agent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from moc_meter.model.sample import Refused, Sample

#: Samples, and what was refused.
Batch = tuple[Sequence[Sample], Sequence[Refused]]


class Publisher(Protocol):
    """Hands samples on, so that none is lost."""

    def publish(self, samples: Sequence[Sample],
                refused: Sequence[Refused] = ()) -> None:
        """Return when the batch is durable.

        refused: what could not be made samples of; it travels along, so that
            it ends in the one quarantine.
        Raises SpoolFull where there is no room: then nothing of the batch
        was taken, and the caller tries again later; BatchTooLarge where
        that would not help: the caller hands over its halves. May be called
        by several threads.
        """

    def close(self) -> None:
        """Finish what is in hand, keep the rest for the next start."""


def halves(samples: Sequence[Sample], refused: Sequence[Refused]
           ) -> list[Batch]:
    """A batch in two, for a publisher that it is too large for."""
    items: list[Sample | Refused] = [*samples, *refused]
    middle = len(items) // 2
    return [([item for item in half if isinstance(item, Sample)],
             [item for item in half if isinstance(item, Refused)])
            for half in (items[:middle], items[middle:])]
