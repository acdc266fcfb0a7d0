# SPDX-License-Identifier: Apache-2.0
"""The contract of a sample store."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Sequence
from typing import Protocol

from moc_meter.model import query
from moc_meter.model.events import EventSelection
from moc_meter.model.expression import Expression, Order
from moc_meter.model.sample import Refused, Sample
from moc_meter.model.traits import TraitType


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

    def write_whole(self, samples: Sequence[Sample],
                    now: datetime.datetime) -> None:
        """Keep all of a batch, as write() does, or nothing of it.

        Raises SampleConflict where something else is kept under the identity
        of one of the samples, SampleTooOld where samples of its time were
        dropped; then nothing has changed, and quarantine has none of them.
        """

    def expire(self, level: query.RetentionLevel, until: datetime.datetime,
               now: datetime.datetime, by: str,
               stop: threading.Event) -> int:
        """Drop the samples, or the events, before a border of UTC days.

        From then on one that is older goes to quarantine. Rollups stay, and
        so do all the answers out of them; a question that would need a
        dropped sample is refused with InvalidQuery. But samples(), sample(),
        events() and history() have what is kept, and no word of what is not.
        May be done again, and
        finishes what was interrupted, be it by ``stop``. Returns how many
        were dropped, of what is finished.
        by: who it is that drops, for the journal.
        """

    def quarantine(self, refused: Sequence[Refused],
                   now: datetime.datetime) -> None:
        """Keep what was refused, each content and code once."""

    def statistics(self, question: query.StatisticsQuestion
                   ) -> list[query.StatisticsRow]:
        """Exact and fresh; by period_start, oldest first; no empty rows."""

    def samples(self, selection: query.Selection, limit: int, *,
                where: Expression | None = None, sort: Order = (),
                after: query.StoredSample | None = None
                ) -> list[query.StoredSample]:
        """Newest first; equal timestamps in the order of recording.

        where: what else must be true of them.
        sort: what they are sorted by before that.
        after: the last one of the page before; its metadata do not matter,
            and it need not be there any more.
        """

    def check_expression(self, pattern: str) -> None:
        """Raise InvalidQuery where it is no regular expression here."""

    def sample(self, message_id: str, projects: frozenset[str] | None
               ) -> query.StoredSample | None:
        """The sample of this id that the caller may see."""

    def events(self, selection: EventSelection, limit: int,
               after: query.StoredSample | None = None
               ) -> list[query.StoredSample]:
        """Oldest first; equal instants by message id.

        Only this answer has events; no other has.
        after: the last one of the page before; its traits do not matter, and
            it need not be there any more.
        """

    def event_types(self) -> list[str]:
        """The types of all events, ascending."""

    def trait_types(self, event_type: str) -> list[tuple[str, TraitType]]:
        """Names and types of the traits of such events, ascending."""

    def meters(self, selection: query.Selection, limit: int | None,
               unique: bool = False, after: query.MeterSeen | None = None
               ) -> list[query.MeterSeen]:
        """Meters by name, then resource; see MeterSeen.

        An event counts like a delta.
        after: the last one of the page before.
        """

    def resources(self, selection: query.Selection, limit: int | None,
                  after: str | None = None) -> list[query.ResourceSeen]:
        """Resources by id; after: the last id of the page before."""

    def history(self, selection: query.Selection, limit: int
                ) -> list[query.ResourceState]:
        """States of a resource, oldest first, as far as samples are kept.

        selection: names the resource; without rules on metadata and ids.
            Where it has a start, the first state may have begun before it.
        """

    def values(self, field: query.Field, selection: query.Selection,
               limit: int | None, after: str | None = None) -> list[str]:
        """What the selected samples say in a field, each once, ascending.

        after: the last one of the page before.
        """
