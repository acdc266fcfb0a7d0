# SPDX-License-Identifier: Apache-2.0
"""The contract of a sample store."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Protocol

from moc_meter.model import query
from moc_meter.model.sample import Refused, Sample


class SampleStore(Protocol):
    """Keeps samples and answers questions about them.

    Every method raises StoreUnavailable where the store does not answer;
    then nothing was written. Instants are aware and in UTC.
    """

    def ping(self) -> None:
        """Return where the store answers and has our schema."""

    def write(self, samples: Sequence[Sample],
              now: datetime.datetime) -> query.Written:
        """Keep a batch, in one transaction; durable on return.

        samples: admitted, in any order; the same one may occur twice, and
            the whole batch may come as often as the broker likes: what is
            kept already is left out and counted as duplicate. One that says
            something else under a kept identity goes to quarantine.
        now: when the batch was received; its samples are recorded at this
            instant plus their place in the batch in microseconds.
        """

    def expire(self, until: datetime.datetime, now: datetime.datetime,
               by: str) -> int:
        """Drop the samples before ``until``, a border of UTC days.

        From then on one that is older goes to quarantine. Rollups stay, and
        so do all the answers out of them; a question that would need a
        dropped sample is refused with InvalidQuery. May be done again, and
        finishes what was interrupted. Returns how many were dropped.
        by: who it is that drops, for the journal.
        """

    def quarantine(self, refused: Sequence[Refused],
                   now: datetime.datetime) -> None:
        """Keep what was refused, each content and code once."""

    def statistics(self, question: query.StatisticsQuestion
                   ) -> list[query.StatisticsRow]:
        """Exact and fresh; by period_start, oldest first; no empty rows."""

    def samples(self, selection: query.Selection, limit: int
                ) -> list[query.StoredSample]:
        """Newest first; equal timestamps in the order of recording."""

    def sample(self, message_id: str, projects: frozenset[str] | None
               ) -> query.StoredSample | None:
        """The sample of this id that the caller may see."""

    def events(self, selection: query.Selection, limit: int
               ) -> list[query.StoredSample]:
        """Events of these series and this time, newest first.

        Only this answer has events; no other has. Rules on metadata and ids
        are not known here.
        """

    def meters(self, selection: query.Selection, limit: int | None,
               unique: bool = False) -> list[query.MeterSeen]:
        """Meters by name, then resource; see MeterSeen."""

    def resources(self, selection: query.Selection, limit: int | None
                  ) -> list[query.ResourceSeen]:
        """Resources by id."""
