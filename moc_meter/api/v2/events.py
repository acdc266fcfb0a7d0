# SPDX-License-Identifier: Apache-2.0
"""Events: what happened, with what was said of it.

Whose they are, their traits say. An administrator sees those of the own
project and those of none; everybody else the own ones.
"""

from __future__ import annotations

from collections.abc import Sequence

from wsme import types as wtypes

from moc_meter import errors
from moc_meter.api.context import Caller
from moc_meter.api.v2 import arguments, event_query, paging, timestamp, types
from moc_meter.api.v2.arguments import LIMIT, RULES, Rule
from moc_meter.api.v2.paging import MARKER, Pages
from moc_meter.api.v2.representation import expose
from moc_meter.model import traits
from moc_meter.model.query import StoredSample
from moc_meter.model.traits import TraitType
from moc_meter.storage.samples.base import SampleStore


class Trait(wtypes.Base):               # type: ignore[misc]
    """What an event says; the value as text, whatever its type."""

    name = wtypes.text
    type = wtypes.text
    value = wtypes.text

    @classmethod
    def of(cls, trait: traits.Trait) -> Trait:
        return cls(name=trait.name, type=trait.type.value,
                   value=(timestamp.show(trait.value)
                          if trait.type is TraitType.DATETIME
                          else str(trait.value)))


class Event(wtypes.Base):               # type: ignore[misc]
    """Something that happened; its notification itself is not kept."""

    message_id = wtypes.text
    event_type = wtypes.text
    generated = types.TIMESTAMP
    traits = wtypes.ArrayType(Trait)
    raw = types.TEXTS

    @classmethod
    def of(cls, stored: StoredSample) -> Event:
        said = stored.sample
        return cls(message_id=said.message_id, event_type=said.meter,
                   generated=said.timestamp, raw={},
                   traits=list(map(Trait.of, traits.traits(said.metadata))))


class Events:
    """/v2/events and /v2/events/{id}."""

    def __init__(self, *, store: SampleStore, default_limit: int) -> None:
        self._store = store
        self._default_limit = default_limit

    @expose([Event], RULES, LIMIT, MARKER, rule='events:index')
    def index(self, caller: Caller, q: Sequence[Rule], limit: int | None,
              marker: str | None) -> Pages[StoredSample, StoredSample]:
        """The selected events, oldest first."""
        most = arguments.bounded(limit, self._default_limit)
        asked = event_query.asked(q, caller)
        return paging.samples(
            lambda last, wanted: self._store.events(asked, wanted, last),
            Event.of, most, marker)

    @expose(Event, rule='events:show')
    def show(self, caller: Caller, message_id: str) -> Event:
        """One event that the caller may see."""
        asked = event_query.asked(
            [Rule('message_id', 'eq', message_id, None)], caller)
        for found in self._store.events(asked, 1):
            return Event.of(found)
        raise errors.NotFound(f'Event {message_id} Not Found')
