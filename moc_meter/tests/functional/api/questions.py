# SPDX-License-Identifier: Apache-2.0
"""Every question of the API, and what each persona is answered.

Each project has a resource of its own and shares one with the others. A
question is asked of all three; what it finds is told in names of projects.
"""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from moc_meter.model import traits
from moc_meter.model.sample import MeterKind, Sample
from moc_meter.storage.samples.base import SampleStore
from moc_meter.tests.functional.api import wiring
from moc_meter.tests.functional.api.personas import (
    ALL,
    FORGED,
    MINE,
    PERSONAS,
)


@dataclass(frozen=True, kw_only=True)
class House:
    """The API with the samples of three projects in it.

    ids: of the projects, by name.
    tokens, users: of the personas, by name.
    """

    api: Any
    store: SampleStore
    ids: Mapping[str, str]
    tokens: Mapping[str, str]
    users: Mapping[str, str]

    def ask(self, persona: str, verb: str, path: str, body: object = None
            ) -> Any:
        headers = FORGED if PERSONAS[persona].forges else {}
        if token := self.tokens.get(persona):
            headers = {**headers, 'X-Auth-Token': token}
        content = b'' if body is None else json.dumps(body).encode()
        return self.api.request(
            path, method=verb, body=content, headers=headers,
            content_type='application/json', expect_errors=True)

    def fill(self) -> None:
        answer = self.ask('admin', 'POST', '/v2/ingest', [
            self.sample(project, resource, hour)
            for hour, project in enumerate(sorted(ALL))
            for resource in (f'r-{project}', 'shared')])
        assert {one['status'] for one in answer.json} == {'stored'}
        self.store.write([
            self._event('other', 'p1', 'somebody'),
            self._event('nobody', None, 'somebody'), *(
                self._event(f'{project}-{name}', project, user)
                for project in sorted(ALL)
                for name, user in self.users.items())], wiring.NOW)

    def _event(self, name: str, project: str | None, user: str) -> Sample:
        owner = {traits.PROJECT: self.ids[project]} if project else {}
        return Sample(
            source='s', message_id=name, timestamp=wiring.NOW,
            meter='thing.happened', kind=MeterKind.EVENT, unit='event',
            volume=Decimal(1), resource_id='thing', is_event=True,
            project_id=owner.get(traits.PROJECT), user_id=user,
            metadata={**owner, traits.USER: user})

    def sample(self, project: str, resource: str, hour: int = 0
               ) -> dict[str, object]:
        return wiring.posted(
            message_id=f'{resource}-of-{project}', source='s',
            resource_id=resource, project_id=self.ids[project],
            timestamp=f'2026-03-01T1{hour}:00:00')

    def name(self, project_id: str) -> str:
        return {found: name for name, found in self.ids.items()}[project_id]


Row = Callable[[House, str], None]


def listed(path: str, *fields: str, newest: bool = False) -> Row:
    """A list, silently limited, and again with each project named.

    newest: whether a resource is shown once, as its newest sample has it.
    """
    def check(house: House, persona: str) -> None:
        sees = PERSONAS[persona].reads
        joint = '&' if '?' in path else '?'
        _compare(house, house.ask(persona, 'GET', path), sees, fields, newest)
        for name, project in house.ids.items():
            named = f'{path}{joint}q.field=project&q.value={project}'
            _compare(house, house.ask(persona, 'GET', named),
                     _of_named(sees, name), fields, newest)

    return check


def searched(house: House, persona: str) -> None:
    """The complex query, and again with each project named."""
    sees = PERSONAS[persona].reads
    fields = ('resource_id', 'project_id')
    _compare(house, house.ask(persona, 'POST', '/v2/query/samples', {}), sees,
             fields, False)
    for name, project in house.ids.items():
        _compare(house, house.ask(persona, 'POST', '/v2/query/samples', {
            'filter': json.dumps({'=': {'project': project}})}),
            _of_named(sees, name), fields, False)


def _of_named(sees: frozenset[str] | int, name: str) -> frozenset[str] | int:
    if isinstance(sees, int):
        return sees
    return frozenset((name,)) if name in sees else 401


def _compare(house: House, answer: Any, sees: frozenset[str] | int,
             fields: tuple[str, ...], newest: bool) -> None:
    if isinstance(sees, int):
        assert answer.status_int == sees, answer.text
        wiring.complaint(answer)
        return
    assert answer.status_int == 200, answer.text
    shared = [max(sees)] if newest else sees
    expected = ({(f'r-{name}', name) for name in sees}
                | {('shared', name) for name in shared})
    rows = [row.get('groupby') or row for row in answer.json]
    assert {(row[fields[0]], house.name(row[fields[1]]))
            for row in rows} == expected


def shown(path: str) -> Row:
    """An item of each project: there, or not found."""
    def check(house: House, persona: str) -> None:
        sees = PERSONAS[persona].reads
        for name in ALL:
            item = urllib.parse.quote(path.format(name), safe='/')
            answer = house.ask(persona, 'GET', item)
            if isinstance(sees, int):
                assert answer.status_int == sees, answer.text
            else:
                assert answer.status_int == (
                    200 if name in sees else 404), answer.text
                assert (f'r-{name}' in answer.text) == (
                    name in sees or 'Not Found' in answer.text)

    return check


def posted(house: House, persona: str) -> None:
    """A sample for each project to the bus."""
    takes = PERSONAS[persona].posts
    for name in ALL:
        answer = house.ask(persona, 'POST', '/v2/meters/disk.gb', [
            wiring.posted(project_id=house.ids[name])])
        assert answer.status_int == (
            takes if isinstance(takes, int) else
            201 if name in takes else 400), answer.text


def ingested(house: House, persona: str) -> None:
    """The sample of each project once more."""
    takes = PERSONAS[persona].posts
    answer = house.ask(persona, 'POST', '/v2/ingest', [
        house.sample(name, f'r-{name}', hour)
        for hour, name in enumerate(sorted(ALL))])
    if isinstance(takes, int):
        assert answer.status_int == takes, answer.text
        return
    said = {name: one['status'] for name, one in zip(
        sorted(ALL), answer.json, strict=True)}
    assert {name for name, status in said.items()
            if status in ('stored', 'duplicate')} == takes
    assert {status for name, status in said.items()
            if name not in takes} <= {'refused'}


def happened(house: House, persona: str) -> None:
    """The list of events: the own ones; for an administrator, others too."""
    sees = PERSONAS[persona].events
    answer = house.ask(persona, 'GET', '/v2/events')
    if isinstance(sees, int):
        assert answer.status_int == sees, answer.text
        return
    own = [persona] if sees == MINE else house.users
    assert {one['message_id'] for one in answer.json} == {
        f'p1-{name}' for name in own} | (sees - MINE)


def happened_once(house: House, persona: str) -> None:
    sees = PERSONAS[persona].events
    name = persona if persona in house.users else 'admin'
    for event, kind in ((f'p1-{name}', 'own'), ('other', 'other'),
                        ('nobody', 'nobody'), (f'p2-{name}', ''),
                        (f'p3-{name}', '')):
        answer = house.ask(persona, 'GET', f'/v2/events/{event}')
        assert answer.status_int == (
            sees if isinstance(sees, int) else
            200 if kind in sees else 404), answer.text


def typed(path: str) -> Row:
    """Something of all events, for administrators only."""
    def check(house: House, persona: str) -> None:
        answer = house.ask(persona, 'GET', path)
        wanted = PERSONAS[persona].types
        assert answer.status_int == wanted, answer.text
        assert (wanted == 200) == isinstance(answer.json, list)

    return check


def counted(path: str) -> Row:
    """A figure of the shared resource, and with each project named."""
    def check(house: House, persona: str) -> None:
        sees = PERSONAS[persona].reads
        for asked, wanted in ((path, sees), *(
                (f'{path}?project={project}', _of_named(sees, name))
                for name, project in house.ids.items())):
            answer = house.ask(persona, 'GET', asked)
            if isinstance(wanted, int):
                assert answer.status_int == wanted, answer.text
            else:
                assert answer.json['count'] == len(wanted)

    return check


def named(path: str, key: str,
          expected: Callable[[House, frozenset[str]], set[str]]) -> Row:
    """Names that occur in the visible samples."""
    def check(house: House, persona: str) -> None:
        sees = PERSONAS[persona].reads
        answer = house.ask(persona, 'GET', path)
        if isinstance(sees, int):
            assert answer.status_int == sees, answer.text
        else:
            assert {one['name'] if isinstance(one, dict) else one
                    for one in answer.json[key]} == expected(house, sees)

    return check


def same(name: str) -> Callable[[House, frozenset[str]], set[str]]:
    """What every project has."""
    return lambda _, __: {name}


def sources(house: House, persona: str) -> None:
    """Those of the visible samples; what a member posts bears its project."""
    sees = PERSONAS[persona].reads
    answer = house.ask(persona, 'GET', '/v1/sources')
    if isinstance(sees, int):
        assert answer.status_int == sees, answer.text
    else:
        assert {'s'} <= set(answer.json['sources']) <= {
            's', *(f'{house.ids[name]}:s' for name in sees)}


def old_listed(path: str) -> Row:
    """Samples of the shared resource, and with each project named."""
    def check(house: House, persona: str) -> None:
        sees = PERSONAS[persona].reads
        for asked, wanted in ((path, sees), *(
                (f'{path}?project={project}', _of_named(sees, name))
                for name, project in house.ids.items())):
            answer = house.ask(persona, 'GET', asked)
            if isinstance(wanted, int):
                assert answer.status_int == wanted, answer.text
            else:
                assert {house.name(one['project_id'])
                        for one in answer.json['samples']} == wanted

    return check


def for_everybody(path: str) -> Row:
    """What needs no token."""
    def check(house: House, persona: str) -> None:
        assert house.ask(persona, 'GET', path).status_int == 200

    return check


def for_the_known(path: str) -> Row:
    """What has no rows: for everybody with a token."""
    def check(house: House, persona: str) -> None:
        known = PERSONAS[persona].role is not None
        assert house.ask(persona, 'GET', path).status_int == (
            200 if known else 401)

    return check


#: Every route of the API, by verb and controller.
ROWS: Mapping[str, Row] = {
    'GET Versions.index': for_everybody('/'),
    'GET OpenApi.show': for_everybody('/openapi.json'),
    'GET Capabilities.index': for_the_known('/v2/capabilities'),
    'GET Meters.index': listed('/v2/meters', 'resource_id', 'project_id',
                               newest=True),
    'GET Meters.samples': listed('/v2/meters/disk.gb', 'resource_id',
                                 'project_id'),
    'POST Meters.post': posted,
    'GET Statistics.index': listed(
        '/v2/meters/disk.gb/statistics?groupby=project_id&'
        'groupby=resource_id', 'resource_id', 'project_id'),
    'GET Samples.index': listed('/v2/samples', 'resource_id', 'project_id'),
    'GET Samples.show': shown('/v2/samples/r-{0}-of-{0}'),
    'GET Resources.index': listed('/v2/resources', 'resource_id',
                                  'project_id', newest=True),
    'GET Resources.show': shown('/v2/resources/r-{0}'),
    'GET Resources.history': shown('/v2/resources/r-{0}/history'),
    'POST ComplexQuery.post': searched,
    'POST Ingest.post': ingested,
    'GET Events.index': happened,
    'GET Events.show': happened_once,
    'GET EventTypes.index': typed('/v2/event_types'),
    'GET EventTypes.traits': typed('/v2/event_types/thing.happened/traits'),
    'GET EventTypes.values': typed(
        '/v2/event_types/thing.happened/traits/user_id'),
    'GET Discovery.components': named('/v1/components', 'components',
                                      same('other')),
    'GET Discovery.of_component': named(
        '/v1/components/other/meters', 'meters', same('disk.gb')),
    'GET Discovery.meters': named('/v1/meters', 'meters', same('disk.gb')),
    'GET Discovery.users': named('/v1/users', 'users', same('u1')),
    'GET Discovery.projects': named(
        '/v1/projects', 'projects',
        lambda house, sees: {house.ids[name] for name in sees}),
    'GET Discovery.sources': sources,
    'GET Discovery.resources': named(
        '/v1/resources', 'resources',
        lambda _, sees: {'shared', *(f'r-{name}' for name in sees)}),
    'GET RawSamples.index': old_listed('/v1/resources/shared/samples'),
    'GET RawSamples.of_meter': old_listed(
        '/v1/resources/shared/meters/disk.gb'),
    'GET Figures.volume': counted(
        '/v1/resources/shared/meters/disk.gb/volume/sum'),
    'GET Figures.duration': counted(
        '/v1/resources/shared/meters/disk.gb/duration'),
}


def routes(thing: Any) -> Iterator[tuple[str, Any]]:
    """What the tables of the root of the API lead to, by verb."""
    if isinstance(thing, Mapping):
        for verb, inner in thing.items():
            if callable(inner):
                yield verb, inner
            else:
                yield from routes(inner)
