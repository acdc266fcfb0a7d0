# SPDX-License-Identifier: Apache-2.0
"""The description of the API says what the code does, and all of it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from wsme import types as wtypes

from moc_meter.api import openapi
from moc_meter.api.identity import Application
from moc_meter.api.v2 import types
from moc_meter.api.v2.root import Root
from moc_meter.tests.contract.fakes import FakeStore
from moc_meter.tests.functional.api import wiring
from moc_meter.tests.functional.api.described import (
    Operation,
    operations,
    resolved,
)
from moc_meter.tests.functional.api.questions import routes

DOCUMENT = openapi.document()
OPERATIONS = list(operations())
#: Bodies are described as what is taken, answers as what is given.
TAKEN = {'OldSample': 'PostedSample'}
each = pytest.mark.parametrize('operation', OPERATIONS,
                               ids=lambda operation: operation.label)


@pytest.fixture(scope='module')
def root() -> Root:
    behind: list[Any] = []

    def door(application: Application) -> Application:
        behind.append(application)
        return application

    wiring.client(FakeStore(), identity=door)
    found: Root = behind[0].root
    return found


def exposed(operation: Operation, root: Root) -> Mapping[str, Any]:
    """What the controller was exposed with, by name."""
    found = controllers(operation, root)[operation.verb.upper()]
    return inspect.getclosurevars(found.__func__).nonlocals


def controllers(operation: Operation, root: Root) -> Mapping[str, Any]:
    path = operation.path
    for (where, name), value in operation.examples('all').items():
        if where == 'path':
            path = path.replace(f'{{{name}}}', value)
    parts = [part for part in path.split('/') if part]
    return root._find(parts)[0]


def test_the_document_is_valid_and_served_as_it_stands() -> None:
    answer = wiring.client(FakeStore()).get('/openapi.json', headers={
        'Accept': 'application/xml'})
    assert answer.headers['Content-Type'] == 'application/json'
    assert answer.json == DOCUMENT
    schemathesis.openapi.from_dict(DOCUMENT).validate()


def test_every_route_is_described(root: Root) -> None:
    named = [operation.said['operationId'] for operation in OPERATIONS]
    assert len(set(named)) == len(named)
    assert {f'{operation.verb.upper()} {operation.controller}'
            for operation in OPERATIONS} == {
                f'{verb} {controller.__qualname__}'
                for verb, controller in routes(vars(root))}


@each
def test_what_is_described_is_routed_so(operation: Operation, root: Root
                                        ) -> None:
    verbs = controllers(operation, root)
    assert set(verbs) == {verb.upper() for verb in DOCUMENT['paths'][
        operation.path] if verb != 'parameters'}
    assert verbs[operation.verb.upper()].__qualname__ == operation.controller


@each
def test_its_parameters_are_those_of_the_code(operation: Operation,
                                              root: Root) -> None:
    taken: set[str] = {key for parameter in exposed(operation, root).get(
        'parameters', ()) for key in parameter.keys}
    assert taken == {said['name'] for said in operation.said['parameters']
                     if said['in'] == 'query'}


@each
def test_its_body_is_that_of_the_code(operation: Operation, root: Root
                                      ) -> None:
    body = exposed(operation, root).get('body')
    content = operation.said.get('requestBody', {}).get('content', {})
    assert set(content) == set(body.of if body else ())
    if body:
        datatype = inspect.getclosurevars(
            body.of['application/xml']).nonlocals['datatype']
        compare(content['application/json']['schema'], datatype, TAKEN)


@each
def test_its_answer_is_that_of_the_code(operation: Operation, root: Root
                                        ) -> None:
    found = exposed(operation, root)
    status = str(found.get('status', 200))
    assert [one for one in operation.said['responses'] if one[0] == '2'] == [
        status]
    if 'answer' in found:
        content = operation.said['responses'][status]['content']
        schema, key = content['application/json']['schema'], found.get('key')
        if key is not None:
            schema = resolved(DOCUMENT, schema)
            assert schema['required'] == list(schema['properties']) == [key]
            schema = schema['properties'][key]
        compare(schema, found['answer'], {})


@each
def test_its_secret_is_that_of_the_policy(operation: Operation, root: Root
                                          ) -> None:
    rule = controllers(operation, root)[operation.verb.upper()].rule
    public = operation.said.get('security') == []
    assert ('401' in operation.said['responses']) != public
    if rule is not None:
        assert '403' in operation.said['responses']


def compare(said: Mapping[str, Any], datatype: Any,
            names: Mapping[str, str]) -> None:
    """A schema has what the type has, all of it and nothing more."""
    schema = resolved(DOCUMENT, said)
    if isinstance(datatype, wtypes.ArrayType):
        assert schema['type'] == 'array'
        compare(schema['items'], datatype.item_type, names)
    elif isinstance(datatype, wtypes.DictType):
        assert 'object' in schema['type']
        assert schema['additionalProperties'] is not False
    elif inspect.isclass(datatype) and issubclass(datatype, wtypes.Base):
        assert said['$ref'].rpartition('/')[2] == names.get(
            datatype.__name__, datatype.__name__)
        of_type: Any = datatype
        attributes = {one.name: one for one in of_type._wsme_attributes}
        assert set(schema['properties']) == set(attributes)
        assert schema['additionalProperties'] is False
        assert {name for name, one in attributes.items()
                if one.mandatory} <= set(schema.get('required', ()))
        for name, one in attributes.items():
            compare(schema['properties'][name], one.datatype, names)
    elif datatype is types.NUMBER or datatype in (int, float):
        assert {'number', 'integer'} & set(kinds(schema))


def kinds(schema: Mapping[str, Any]) -> list[str]:
    found = schema['type']
    return found if isinstance(found, list) else [found]


def schemas(said: Any, path: str = '') -> Iterator[tuple[str, Any]]:
    """Everything in a schema that says a type, with where it stands."""
    if isinstance(said, Mapping):
        if 'type' in said and isinstance(said['type'], str | list):
            yield path, said
        for name, inner in said.items():
            yield from schemas(inner, f'{path}/{name}')
    elif isinstance(said, list):
        for place, inner in enumerate(said):
            yield from schemas(inner, f'{path}/{place}')


def test_objects_are_closed_and_what_is_taken_is_bounded() -> None:
    found = [*schemas(DOCUMENT['components']['schemas']),
             *(one for path, item in DOCUMENT['paths'].items()
               for one in schemas(item, path))]
    for path, schema in found:
        if 'object' in kinds(schema) and '/openapi.json' not in path:
            assert 'additionalProperties' in schema, path
    for path, schema in taken():
        if 'string' in kinds(schema):
            assert {'maxLength', 'pattern', 'format'} & set(schema), path
        if 'array' in kinds(schema):
            assert 'maxItems' in schema, path
        if {'integer', 'number'} & set(kinds(schema)):
            assert {'maximum', 'exclusiveMaximum'} & set(schema), path


def taken() -> Iterator[tuple[str, Any]]:
    """Schemas of parameters and of bodies in JSON."""
    for operation in OPERATIONS:
        for said in operation.said['parameters']:
            yield from schemas(said['schema'], f'{operation.label} {said}')
        for kind, said in operation.said.get('requestBody', {}).get(
                'content', {}).items():
            if 'json' in kind:
                yield from schemas(_whole(said['schema']), operation.label)


def _whole(said: Any) -> Any:
    """A schema with what it refers to in the place of references."""
    if isinstance(said, Mapping):
        found = resolved(DOCUMENT, said)
        return {name: _whole(inner) for name, inner in found.items()}
    if isinstance(said, list):
        return [_whole(one) for one in said]
    return said


@each
def test_its_examples_are_of_its_schemas(operation: Operation) -> None:
    for parameter in operation.said['parameters']:
        for name, shown in parameter.get('examples', {}).items():
            check(parameter['schema'], shown['value'],
                  f'{operation.label} {parameter["name"]} {name}')
    for kind, said in operation.said.get('requestBody', {}).get(
            'content', {}).items():
        for name, shown in said.get('examples', {}).items():
            check(said['schema'], shown['value'],
                  f'{operation.label} {kind} {name}')


def check(schema: Any, value: object, place: str) -> None:
    validator = jsonschema_rs.Draft202012Validator(_whole(schema))
    faults = [fault.message for fault in validator.iter_errors(value)]
    assert not faults, place


def test_a_line_of_the_path_has_an_example() -> None:
    for operation in OPERATIONS:
        named = set(re.findall(r'{(\w+)}', operation.path))
        assert named == {name for where, name in operation.examples('all')
                         if where == 'path'}
