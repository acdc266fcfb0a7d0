# SPDX-License-Identifier: Apache-2.0
"""Resources: what was measured, as their newest samples describe them."""

from __future__ import annotations

import dataclasses
import datetime
import urllib.parse
from collections.abc import Sequence

from moc_meter import errors
from moc_meter.api.context import Caller
from moc_meter.api.v2 import arguments, paging, query, types
from moc_meter.api.v2.arguments import LIMIT, RULES, Rule
from moc_meter.api.v2.paging import MARKER, Pages
from moc_meter.api.v2.representation import expose
from moc_meter.model import metadata, period
from moc_meter.model.query import (
    Field,
    ResourceSeen,
    ResourceState,
    Selection,
)
from moc_meter.storage.samples.base import SampleStore


class Resources:
    """/v2/resources and /v2/resources/{id}."""

    def __init__(self, *, store: SampleStore, default_limit: int) -> None:
        self._store = store
        self._default_limit = default_limit

    @expose([types.Resource], RULES, LIMIT, MARKER,
            arguments.integer('meter_links'), rule='get_resources')
    def index(self, caller: Caller, q: Sequence[Rule], limit: int | None,
              marker: str | None, meter_links: int | None
              ) -> Pages[ResourceSeen, str]:
        """Every resource with a selected sample, by id."""
        most = arguments.bounded(limit, self._default_limit)
        asked = query.asked(q, query.RESOURCES, caller)
        return paging.resources(
            lambda last, wanted: self._store.resources(
                asked.selection, wanted, last),
            lambda seen: types.Resource.of(seen, caller.service_url,
                                           meter_links != 0), most, marker)

    @expose(types.Resource, arguments.instant('at'), rule='get_resource')
    def show(self, caller: Caller, resource_id: str,
             at: datetime.datetime | None) -> types.Shown:
        """One resource, with links to its meters; as it was said to be then.

        Old clients encode an id twice: where there is none by the id that
        was sent, the one that it decodes to is meant.
        """
        return types.Resource.of(self._seen(caller, resource_id, at),
                                 caller.service_url, True)

    @expose([types.ResourceState], LIMIT, MARKER, rule='get_resource')
    def history(self, caller: Caller, resource_id: str, limit: int | None,
                marker: str | None
                ) -> Pages[ResourceState, datetime.datetime]:
        """What was said of it, one state after the other."""
        most = arguments.bounded(limit, self._default_limit)
        found = self._seen(caller, resource_id, None).resource_id
        chosen = _selection(caller, found, None)

        def read(last: datetime.datetime | None,
                 wanted: int) -> list[ResourceState]:
            states = self._store.history(
                dataclasses.replace(chosen, start=last),
                wanted + (last is not None))
            return states if last is None else states[1:]

        return paging.states(
            read, lambda state: types.ResourceState.of(state, found), most,
            marker)

    def _seen(self, caller: Caller, resource_id: str,
              at: datetime.datetime | None) -> ResourceSeen:
        for spelled in (resource_id, urllib.parse.unquote(resource_id)):
            metadata.check_text('id', spelled)
            for seen in self._store.resources(
                    _selection(caller, spelled, at), 1):
                return seen
        raise errors.NotFound(f'Resource {resource_id} Not Found')


def _selection(caller: Caller, resource_id: str,
               at: datetime.datetime | None) -> Selection:
    """The samples of a resource that the caller may see; none after ``at``."""
    return Selection(
        series=((Field.RESOURCE, resource_id),),
        end=at and query.shifted(at, period.MICROSECOND),
        projects=caller.visible_projects())
