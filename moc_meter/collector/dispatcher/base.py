# SPDX-License-Identifier: Apache-2.0
"""The contract of a destination (namespace moc_meter.dispatcher)."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Protocol

from moc_meter.model import query
from moc_meter.model.sample import Refused, Sample


class Dispatcher(Protocol):
    """Where admitted samples go. Idempotent by sample key.

    A retryable error means: the same batch again, later.
    """

    def ping(self) -> None:
        """Return where the destination would take a batch."""

    def dispatch(self, samples: Sequence[Sample],
                 now: datetime.datetime) -> query.Written:
        """Durable on return."""

    def quarantine(self, refused: Sequence[Refused],
                   now: datetime.datetime) -> None:
        """Keep what was refused; durable on return."""
