# SPDX-License-Identifier: Apache-2.0
"""Which path and verb is answered by whom.

A table, instead of Pecan's walk along attributes: there a part of a path
could name any attribute, and ``?_method=`` or a last part like 'delete' would
stand for a verb.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import webob
from webob import exc

from moc_meter.api import negotiation
from moc_meter.api.openapi import OpenApi
from moc_meter.api.v1 import routes as v1
from moc_meter.api.v2.capabilities import Capabilities
from moc_meter.api.v2.complex_query import ComplexQuery
from moc_meter.api.v2.event_types import EventTypes
from moc_meter.api.v2.events import Events
from moc_meter.api.v2.ingest import Ingest
from moc_meter.api.v2.meters import Meters
from moc_meter.api.v2.resources import Resources
from moc_meter.api.v2.samples import Samples
from moc_meter.api.v2.statistics import Statistics
from moc_meter.api.v2.versions import Versions

#: Verbs of one path.
Verbs = Mapping[str, Callable[..., Any]]


class Root:
    """The whole API."""

    def __init__(self, *, meters: Meters, samples: Samples,
                 resources: Resources, statistics: Statistics,
                 ingest: Ingest, versions: Versions,
                 complex_query: ComplexQuery,
                 capabilities: Capabilities, events: Events,
                 event_types: EventTypes, first: v1.Controllers) -> None:
        self._versions: Verbs = {'GET': versions.index}
        self._openapi: Verbs = {'GET': OpenApi().show}
        self._collections: Mapping[str, Verbs] = {
            'meters': {'GET': meters.index},
            'samples': {'GET': samples.index},
            'resources': {'GET': resources.index},
            'ingest': {'POST': ingest.post},
            'capabilities': {'GET': capabilities.index},
            'events': {'GET': events.index},
            'event_types': {'GET': event_types.index}}
        self._items: Mapping[str, Verbs] = {
            'meters': {'GET': meters.samples, 'POST': meters.post},
            'samples': {'GET': samples.show},
            'resources': {'GET': resources.show},
            'events': {'GET': events.show}}
        self._traits: Verbs = {'GET': event_types.traits}
        self._values: Verbs = {'GET': event_types.values}
        self._first = first
        self._statistics: Verbs = {'GET': statistics.index}
        self._history: Verbs = {'GET': resources.history}
        self._complex_query: Verbs = {'POST': complex_query.post}

    def route(self, request: webob.Request
              ) -> tuple[Callable[..., Any], list[str]]:
        """The controller of a request, and the parts of its path to it."""
        verbs, item = self._find(negotiation.path_parts(request))
        if request.method not in verbs:
            raise exc.HTTPMethodNotAllowed(
                f'{request.method} is not allowed here',
                headers={'Allow': ', '.join(sorted(verbs))})
        request.pecan['content_type'] = negotiation.content_type(request)
        return verbs[request.method], item

    def _find(self, parts: list[str]) -> tuple[Verbs, list[str]]:
        match parts:
            case []:
                return self._versions, []
            case ['openapi.json']:
                return self._openapi, []
            case ['v1', *rest] if below := v1.find(rest):
                name, given = below
                return self._first[name], [*given]
            case ['v2', *rest] if found := self._find_second(rest):
                return found
        raise exc.HTTPNotFound('There is nothing at this path')

    def _find_second(self, parts: list[str]
                     ) -> tuple[Verbs, list[str]] | None:
        """What is below /v2."""
        match parts:
            case [noun] if noun in self._collections:
                return self._collections[noun], []
            case ['meters', name, 'statistics'] if name:
                return self._statistics, [name]
            case ['event_types', kind, 'traits'] if kind:
                return self._traits, [kind]
            case ['event_types', kind, 'traits', name] if kind and name:
                return self._values, [kind, name]
            case ['query', 'samples']:
                return self._complex_query, []
            case ['resources', *item, 'history'] if any(item):
                return self._history, ['/'.join(item)]
            case ['resources', *item] if any(item):
                return self._items['resources'], ['/'.join(item)]
            case [noun, item] if noun in self._items and item:
                return self._items[noun], [item]
        return None
