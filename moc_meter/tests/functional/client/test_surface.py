# SPDX-License-Identifier: Apache-2.0
"""The library has all of what the API describes, field by field."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from moc_meter.api import openapi
from moc_meter.client import Client, measured, models
from moc_meter.tests.functional.api import described, wiring
from moc_meter.tests.functional.client.serving import Service

#: What the library asks in another way.
ELSEWHERE = {
    'GET /v2/meters/{name}': 'samples() has the same ones in the newer form',
    'GET /openapi.json': 'for those who write a client',
    'GET /v1/sources/{source}/users': 'users(source=…)',
    'GET /v1/sources/{source}/projects': 'projects(source=…)',
    'GET /v1/{scope}/{id}/resources': 'resource_ids(project=…)',
    'GET /v1/{scope}/{id}/meters': 'meter_names(project=…)'}
#: Fields that the library has in another form.
RENAMED = {'Version': {'links', 'media-types'}, 'Link': {'type'}}
#: What only some of its forms have: the echo of a POST does not.
UNKNOWN = {(models.Sample, 'recorded_at')}
KINDS = (models.Link, models.Meter, models.MeterName, models.Sample,
         models.Resource, models.ResourceState, models.Statistics,
         models.Trait, models.TraitDescription, models.Event, models.Outcome,
         models.Volume, models.Duration, models.Version)


@pytest.mark.parametrize('kind', KINDS, ids=lambda kind: str(kind.__name__))
def test_every_field_of_an_answer_is_there(kind: Any) -> None:
    schema = openapi.document()['components']['schemas'][kind.__name__]
    left_out = RENAMED.get(kind.__name__, set())
    assert {field.name for field in dataclasses.fields(kind)} == (
        set(schema['properties']) - left_out)


@pytest.mark.parametrize('kind', KINDS, ids=lambda kind: str(kind.__name__))
def test_what_may_be_null_is_none(kind: Any) -> None:
    document = openapi.document()
    schema = document['components']['schemas'][kind.__name__]
    for field in dataclasses.fields(kind):
        said = described.resolved(document, schema['properties'][field.name])
        absent = (field.name not in schema['required']
                  or (kind, field.name) in UNKNOWN)
        assert ('None' in str(field.type)) == (absent or 'null' in str(
            said.get('type', said.get('anyOf')))), field.name


def ask_everything(client: Client) -> None:
    list(client.meters())
    list(client.samples())
    client.sample('sample-1')
    list(client.query_samples())
    list(client.resources())
    client.resource('a')
    list(client.history('a'))
    client.statistics('disk.gb')
    list(client.events())
    client.event('event-1')
    client.event_types()
    client.traits('compute.instance.create.end')
    client.trait_values('compute.instance.create.end', 'vcpus')
    for question in (client.users, client.projects, client.sources,
                     client.resource_ids, client.components,
                     client.meter_names):
        question()
    client.meter_names('other')
    scope = client.scope('projects', 'p1')
    list(scope.samples())
    list(scope.samples('disk.gb'))
    scope.volume('disk.gb')
    scope.duration('disk.gb')
    client.capabilities()
    client.versions()
    sample = measured('disk.gb', 1, source='s', resource_id='r',
                      timestamp=wiring.NOW)
    client.ingest([sample])
    client.post([sample])


def test_every_question_can_be_asked(service: Service,
                                     client: Client) -> None:
    ask_everything(client)
    operations = {one.label: one for one in described.operations()}
    patterns = {label: re.compile(one.verb.upper() + ' ' + re.sub(
        r'\\\{\w+\\\}', '[^/]+', re.escape(one.path)))
        for label, one in operations.items()}
    asked = {label for verb, path in service.asked
             for label, pattern in patterns.items()
             if pattern.fullmatch(f'{verb} {path}')}
    # A path without braces is itself, and no example of another one.
    assert set(operations) - asked == set(ELSEWHERE) - asked
    assert ELSEWHERE.keys() <= operations.keys()
