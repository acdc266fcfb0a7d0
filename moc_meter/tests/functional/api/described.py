# SPDX-License-Identifier: Apache-2.0
"""The description of the API, and the samples that its examples are about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from moc_meter.api import openapi
from moc_meter.model import period, traits
from moc_meter.model.sample import MeterKind, Sample
from moc_meter.tests.functional.api import wiring

VERBS = ('get', 'post')
#: Say nothing without the field that they stand beside.
_BESIDE = ('q.op', 'q.value', 'q.type')


class Operation(NamedTuple):
    """A path and a verb, and what the document says of them."""

    path: str
    verb: str
    said: Mapping[str, Any]         # its parameters are all it takes

    @property
    def controller(self) -> str:
        """The name of the method that answers it."""
        name: str = self.said['operationId'].partition('#')[0]
        return name

    @property
    def label(self) -> str:
        return f'{self.verb.upper()} {self.path}'

    def examples(self, name: str) -> dict[tuple[str, str], Any]:
        """Parameters of an example, by where they stand and their names.

        A part of the path that is not in it has its first example.
        """
        found = {}
        for parameter in self.said['parameters']:
            shown = parameter.get('examples', {})
            if parameter['in'] == 'path' and name not in shown:
                name_of = next(iter(shown))
            else:
                name_of = name
            if name_of in shown:
                found[parameter['in'], parameter['name']] = shown[name_of][
                    'value']
        return found

    def bodies(self, name: str) -> Iterator[tuple[str, Any]]:
        """Of an example, by content type."""
        for kind, said in self.said.get('requestBody', {}).get(
                'content', {}).items():
            if name in said.get('examples', {}):
                yield kind, said['examples'][name]['value']

    def example_names(self) -> list[str]:
        """Of those that say something of the query, or of the body."""
        shown = [*(one for one in self.said['parameters']
                   if one['name'] not in _BESIDE),
                 *self.said.get('requestBody', {}).get(
                     'content', {}).values()]
        found = sorted({name for one in shown
                        for name in one.get('examples', {})})
        if 'requestBody' in self.said:
            return [name for name in found if list(self.bodies(name))]
        return found


def operations() -> Iterator[Operation]:
    document = openapi.document()
    for path, item in document['paths'].items():
        for verb in VERBS:
            if verb in item:
                said = item[verb]
                parameters = [resolved(document, one) for one in (
                    *item.get('parameters', ()), *said.get('parameters', ()))]
                yield Operation(path, verb, {**said, 'parameters': parameters})


def resolved(document: Mapping[str, Any], said: Mapping[str, Any]) -> Any:
    """What a reference refers to; anything else as it is."""
    found: Any = said
    while '$ref' in found:
        place = document
        for part in found['$ref'].removeprefix('#/').split('/'):
            place = place[part]
        found = place
    return found


def samples() -> list[dict[str, object]]:
    """The worked example in project p1, and a resource of each other."""
    told = [('sample-1', 10, 'a', 'u1', 8, 'p1'),
            ('sample-2', 11, 'a', 'u2', 2, 'p1'),
            ('sample-3', 12, 'b', 'u2', 5, 'p1'),
            ('sample-4', 13, 'b', 'u2', 3, 'p1'),
            ('sample-5', 12, 'c', 'u3', 1, 'p2'),
            ('sample-6', 12, 'd', None, 1, 'p3')]
    return [wiring.posted(
        message_id=message, source='region-1', resource_id=resource,
        timestamp=f'2026-03-01T{hour}:00:00', user_id=user,
        counter_volume=volume, project_id=project,
        resource_metadata={'size': hour - 9, 'instance_type': f'm{hour}',
                           'tags': ['x', {'y': None}]})
        for message, hour, resource, user, volume, project in told]


def events(project: str = 'p1', user: str = 'u1') -> list[Sample]:
    """Two of a project and a user, and one of nobody."""
    own = {'project_id': project, 'user_id': user}
    return [Sample(
        source='region-1', message_id=message, resource_id='i-1',
        timestamp=wiring.NOW - hours * period.HOUR, is_event=True,
        meter='compute.instance.create.end', kind=MeterKind.EVENT,
        unit='event', volume=Decimal(1), project_id=whose.get('project_id'),
        metadata={'vcpus': 4 // hours, 'load': 0.5, **whose,
                  'launched_at': traits.spelled(wiring.NOW)})
        for message, hours, whose in (
            ('event-1', 3, own), ('event-2', 2, own),
            ('event-3', 1, {'service': 'compute'}))]
