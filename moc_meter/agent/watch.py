# SPDX-License-Identifier: Apache-2.0
"""A poller under watch: what it gives are samples, and how it fares is known.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from typing import Generic, Protocol, TypeVar

from moc_meter import contracts
from moc_meter.agent.polling.base import Tick
from moc_meter.model.sample import Sample

Asked = TypeVar('Asked', contravariant=True)


class Poller(Protocol[Asked]):
    """A poller of instances, or of our own host."""

    def samples(self, tick: Tick, asked: Asked, /) -> Iterable[Sample]:
        """Samples of one turn."""


class WatchedPoller(Generic[Asked]):
    """Asks a poller; what is rubbish, or too much, is the poller's fault.

    Both figures are of this process: faults since its start, and the instant
    of the tick that was answered last.
    """

    def __init__(self, poller: Poller[Asked]) -> None:
        self._poller = poller
        self.faults = 0
        self.last_success: datetime.datetime | None = None

    def samples(self, tick: Tick, asked: Asked) -> Iterator[Sample]:
        """Raises what the poller raises, and as contracts.samples does."""
        try:
            yield from contracts.samples(
                lambda: self._poller.samples(tick, asked))
        except Exception:
            self.faults += 1
            raise
        self.last_success = tick.instant
