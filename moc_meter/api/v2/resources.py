# SPDX-License-Identifier: Apache-2.0
"""Resources: what was measured, as their newest samples describe them."""

from __future__ import annotations

import urllib.parse
from collections.abc import Sequence

from moc_meter import errors
from moc_meter.api.context import Caller
from moc_meter.api.v2 import arguments, query, types
from moc_meter.api.v2.arguments import LIMIT, RULES, Rule
from moc_meter.api.v2.representation import expose
from moc_meter.model import metadata
from moc_meter.model.query import Field, ResourceSeen, Selection
from moc_meter.storage.samples.base import SampleStore


class Resources:
    """/v2/resources and /v2/resources/{id}."""

    def __init__(self, *, store: SampleStore, default_limit: int) -> None:
        self._store = store
        self._default_limit = default_limit

    @expose([types.Resource], RULES, LIMIT, arguments.integer('meter_links'))
    def index(self, caller: Caller, q: Sequence[Rule], limit: int | None,
              meter_links: int | None) -> list[types.Resource]:
        """Every resource with a selected sample, by id."""
        most = arguments.bounded(limit, self._default_limit)
        asked = query.asked(q, query.RESOURCES, caller)
        return [types.Resource.of(seen, caller.service_url, meter_links != 0)
                for seen in self._store.resources(asked.selection, most)]

    @expose(types.Resource)
    def show(self, caller: Caller, resource_id: str) -> types.Resource:
        """One resource, with links to its meters.

        Old clients encode an id twice: where there is none by the id that
        was sent, the one that it decodes to is meant.
        """
        for spelled in (resource_id, urllib.parse.unquote(resource_id)):
            for seen in self._find(caller, spelled):
                return types.Resource.of(seen, caller.service_url, True)
        raise errors.NotFound(f'Resource {resource_id} Not Found')

    def _find(self, caller: Caller, resource_id: str) -> list[ResourceSeen]:
        metadata.check_text('id', resource_id)
        return self._store.resources(
            Selection(series=((Field.RESOURCE, resource_id),),
                      projects=caller.visible_projects()), 1)
