# SPDX-License-Identifier: Apache-2.0
"""Types of events, and of what they say; for administrators."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wsme import types as wtypes

from moc_meter import errors
from moc_meter.api.context import Caller
from moc_meter.api.v2.events import Trait
from moc_meter.api.v2.paging import PAGE
from moc_meter.api.v2.representation import expose
from moc_meter.model import metadata, traits
from moc_meter.model.events import EventSelection
from moc_meter.model.query import StoredSample
from moc_meter.storage.samples.base import SampleStore


class TraitDescription(wtypes.Base):    # type: ignore[misc]
    """What events of a type may say."""

    name = wtypes.text
    type = wtypes.text


class EventTypes:
    """/v2/event_types, and the traits below it."""

    def __init__(self, *, store: SampleStore) -> None:
        self._store = store

    @expose([wtypes.text], rule=None)
    def index(self, caller: Caller) -> Sequence[str]:
        """The types of all events, ascending."""
        _check(caller)
        return self._store.event_types()

    @expose([TraitDescription], rule=None)
    def traits(self, caller: Caller,
               event_type: str) -> Sequence[TraitDescription]:
        """The traits of such events, by name."""
        _check(caller, event_type)
        return [TraitDescription(name=name, type=kind.value)
                for name, kind in self._store.trait_types(event_type)]

    @expose([Trait], rule=None)
    def values(self, caller: Caller, event_type: str,
               name: str) -> Iterator[Trait]:
        """The trait of each such event that has it, oldest first."""
        _check(caller, event_type, name)
        return (Trait.of(traits.trait(name, said))
                for stored in self._all(event_type)
                for said in [stored.sample.metadata.get(name)]
                if said is not None)

    def _all(self, event_type: str) -> Iterator[StoredSample]:
        """Page by page: none is read before the one before it is written."""
        asked, last = EventSelection(event_type=event_type), None
        while page := self._store.events(asked, PAGE, last):
            yield from page
            last = page[-1]


def _check(caller: Caller, *texts: str) -> None:
    """Raise NotAuthorized where the caller is no administrator."""
    if not caller.admin:
        raise errors.NotAuthorized('Not Authorized')
    for text in texts:
        metadata.check_text('path', text)
