# SPDX-License-Identifier: Apache-2.0
"""The contract of a way out of the agent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from moc_meter.model.sample import Refused, Sample


class Publisher(Protocol):
    """Hands samples on, so that none is lost."""

    def publish(self, samples: Sequence[Sample],
                refused: Sequence[Refused] = ()) -> None:
        """Return when the batch is durable.

        refused: what could not be made samples of; it travels along, so that
            it ends in the one quarantine.
        Raises SpoolFull where there is no room: then nothing of the batch
        was taken, and the caller tries again later. May be called by several
        threads.
        """

    def close(self) -> None:
        """Finish what is in hand, keep the rest for the next start."""
