# SPDX-License-Identifier: Apache-2.0
"""Questions by chance, by the library: every answer is the truth."""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest

from moc_meter.client import Client, Filter, measured
from moc_meter.model.sample import Sample
from moc_meter.tests.functional.client import serving
from moc_meter.truth import answers, asking, files, summary
from moc_meter.truth.questions import Kind, Question
from moc_meter.truth.world import World

#: Fields that the API leaves out where there is nothing in them.
OPTIONAL = ('min', 'max', 'avg', 'sum', 'count', 'aggregate')
OLD = {'id': 'message_id', 'meter': 'counter_name', 'type': 'counter_type',
       'unit': 'counter_unit', 'volume': 'counter_volume',
       'metadata': 'resource_metadata'}
OPERATORS = {'eq': '=', 'ne': '!=', 'lt': '<', 'le': '<=', 'gt': '>',
             'ge': '>='}
#: What a list is cut to where a question sets no limit.
LIMIT = 100
QUESTIONS = 150


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def made(line: str) -> Sample:
    """A sample of the world, as a program reports it."""
    exact = json.loads(line, parse_float=Decimal)
    at = datetime.datetime.fromisoformat(exact['timestamp'])
    return measured(
        exact['counter_name'], exact['counter_volume'],
        source=exact['source'], resource_id=exact['resource_id'],
        unit=exact['counter_unit'], kind=exact['counter_type'],
        project_id=exact.get('project_id'), user_id=exact.get('user_id'),
        metadata=json.loads(line)['resource_metadata'],
        message_id=exact['message_id'],
        timestamp=at if at.tzinfo else at.replace(tzinfo=datetime.UTC))


@pytest.fixture(scope='module')
def world() -> World:
    return World(5, decimals=True)


@pytest.fixture(scope='module')
def whole(world: World, tmp_path_factory: pytest.TempPathFactory
          ) -> Iterator[Client]:
    """Somebody who sees all of the world, which the library has sent."""
    with (serving.service(tmp_path_factory.mktemp('truth'), clock=now) as it,
          it.client({'X-Roles': 'admin'}) as client):
        outcomes = client.ingest(map(made, files.lines(world.samples())))
        assert {one.status for one in outcomes} == {'stored'}
        yield client


def asked(client: Client, question: Question) -> Any:
    """What the library answers, in the form of the API."""
    rules = [Filter(rule.field, OPERATORS[rule.op or 'eq'], rule.value,
                    rule.type or None) for rule in question.rules]
    name, limit = question.name or '', question.limit or LIMIT
    match question.kind:
        case Kind.METERS:
            return [*map(plain, client.meters(
                rules, unique=question.unique, limit=limit))]
        case Kind.SAMPLES:
            return [*map(plain, client.samples(rules, limit=limit))]
        case Kind.METER:
            return [{OLD.get(key, key): value for key, value
                     in plain(one).items()} for one
                    in client.samples(rules, meter=name, limit=limit)]
        case Kind.SAMPLE:
            return plain(client.sample(name))
        case Kind.RESOURCES:
            return [*map(plain, client.resources(
                rules, links=question.meter_links != 0, limit=limit))]
        case Kind.RESOURCE:
            return plain(client.resource(name))
    return [*map(plain, client.statistics(
        name, rules, period=question.period, groupby=question.groupby,
        aggregates=['/'.join(filter(None, one))
                    for one in question.aggregates]))]


def plain(one: Any) -> Any:
    """A thing as the JSON that it was made of."""
    match one:
        case datetime.datetime():
            return one.replace(tzinfo=None).isoformat()
        case Mapping():
            return {key: plain(value) for key, value in one.items()}
        case tuple():
            return [*map(plain, one)]
    if not dataclasses.is_dataclass(one):
        return one
    found = {field.name: plain(getattr(one, field.name))
             for field in dataclasses.fields(one)}
    return {name: value for name, value in found.items()
            if value is not None or name not in OPTIONAL}


def test_no_answer_differs_from_the_truth(world: World,
                                          whole: Client) -> None:
    about = summary.summary(world.samples(), source=world.source,
                            zone=world.zone, seed=world.seed)
    questions = [*asking.random_questions(about, world.seed, QUESTIONS)]
    truth = answers.answer(questions, world.samples())
    wrong = [(question.url(), differences)
             for question, true in zip(questions, truth, strict=True)
             if (differences := true.differences(
                 200, asked(whole, question)))]
    assert wrong == []
    assert {question.kind for question in questions} == {*Kind}
