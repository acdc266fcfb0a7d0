# SPDX-License-Identifier: Apache-2.0
"""What there is: components, meters, users, projects, sources, resources.

Each answer is an object with one list, of what occurs in the selected samples
that the caller may see.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from wsme import types as wtypes

from moc_meter.api.context import Caller
from moc_meter.api.v1.components import Components
from moc_meter.api.v1.narrowing import NARROWED, Narrowing, selection
from moc_meter.api.v2 import types
from moc_meter.api.v2.paging import PAGE
from moc_meter.api.v2.representation import expose
from moc_meter.model.query import Field, MeterSeen, Selection
from moc_meter.storage.samples.base import SampleStore


class MeterName(wtypes.Base):           # type: ignore[misc]
    """A meter, whatever the resource."""

    name = wtypes.text
    type = wtypes.text
    unit = wtypes.text

    @classmethod
    def of(cls, seen: MeterSeen) -> MeterName:
        return cls(name=seen.name, type=types.kind(seen.kind), unit=seen.unit)


class Discovery:
    """Lists, each of all or of a scope; ``scope``: its noun and its id."""

    def __init__(self, *, store: SampleStore,
                 components: Components) -> None:
        self._store = store
        self._components = components

    @expose([wtypes.text], NARROWED, rule='get_meters', key='components')
    def components(self, caller: Caller,
                   narrowed: Narrowing) -> Sequence[str]:
        """The components whose meters occur, ascending."""
        return sorted({self._components.of(seen.name) for seen
                       in self._meters(selection(narrowed, caller))})

    @expose([MeterName], NARROWED, rule='get_meters', key='meters')
    def of_component(self, caller: Caller, component: str,
                     narrowed: Narrowing) -> Iterable[MeterName]:
        """The meters of a component, by name."""
        return (MeterName.of(seen) for seen
                in self._meters(selection(narrowed, caller))
                if self._components.of(seen.name) == component)

    @expose([MeterName], NARROWED, rule='get_meters', key='meters')
    def meters(self, caller: Caller, *scope: str, narrowed: Narrowing
               ) -> Iterable[MeterName]:
        """The meters, by name."""
        return map(MeterName.of, self._meters(
            selection(narrowed, caller, scope)))

    @expose([wtypes.text], NARROWED, rule='get_resources', key='users')
    def users(self, caller: Caller, *scope: str, narrowed: Narrowing
              ) -> Iterable[str]:
        """The ids of users, ascending."""
        return self._values(Field.USER, selection(narrowed, caller, scope))

    @expose([wtypes.text], NARROWED, rule='get_resources', key='projects')
    def projects(self, caller: Caller, *scope: str, narrowed: Narrowing
                 ) -> Iterable[str]:
        """The ids of projects, ascending."""
        return self._values(Field.PROJECT, selection(narrowed, caller, scope))

    @expose([wtypes.text], NARROWED, rule='get_resources', key='sources')
    def sources(self, caller: Caller, narrowed: Narrowing) -> Iterable[str]:
        """The sources, ascending."""
        return self._values(Field.SOURCE, selection(narrowed, caller))

    @expose([wtypes.text], NARROWED, rule='get_resources', key='resources')
    def resources(self, caller: Caller, *scope: str, narrowed: Narrowing
                  ) -> Iterable[str]:
        """The ids of resources, ascending."""
        return self._values(Field.RESOURCE,
                            selection(narrowed, caller, scope))

    def _meters(self, selected: Selection) -> Iterator[MeterSeen]:
        last: MeterSeen | None = None
        while page := self._store.meters(selected, PAGE, True, last):
            yield from page
            last = page[-1]

    def _values(self, field: Field, selected: Selection) -> Iterator[str]:
        last: str | None = None
        while page := self._store.values(field, selected, PAGE, last):
            yield from page
            last = page[-1]
