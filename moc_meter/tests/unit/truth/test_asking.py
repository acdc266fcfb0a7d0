# SPDX-License-Identifier: Apache-2.0
"""Questions by chance touch what matters, and are the same every time."""

from __future__ import annotations

import datetime
from collections import Counter
from itertools import islice

import pytest

from moc_meter.truth import calendar, instants, selection
from moc_meter.truth.asking import random_questions
from moc_meter.truth.questions import Kind, Question, parse
from moc_meter.truth.summary import KEPT, Summary, summary
from moc_meter.truth.windows import border
from moc_meter.truth.world import World

HOUR = 3600 * 10 ** 6


@pytest.fixture(scope='module')
def world() -> World:
    return World(7)


@pytest.fixture(scope='module')
def known(world: World) -> Summary:
    return summary(world.samples(), source=world.source, zone=world.zone,
                   seed=world.seed)


@pytest.fixture(scope='module')
def asked(known: Summary) -> list[Question]:
    return list(random_questions(known, 1, 500))


def test_the_same_seed_asks_the_same(known: Summary, asked: list[Question]
                                     ) -> None:
    assert list(random_questions(known, 1, 500)) == asked
    assert list(random_questions(known, 2, 500)) != asked


def test_every_question_is_one_that_the_api_takes(asked: list[Question]
                                                  ) -> None:
    for question in asked:
        assert parse(question.url()) == question
        selection.of(question)


def test_every_question_names_the_source_or_an_id(
        world: World, asked: list[Question]) -> None:
    for question in asked:
        assert (question.kind in (Kind.SAMPLE, Kind.RESOURCE)
                or any(rule.field == 'source' and rule.value == world.source
                       for rule in question.rules))


def test_most_bounds_lie_where_something_changes(
        world: World, asked: list[Question]) -> None:
    times = {sample.timestamp for sample in world.samples()}
    places = {time + by for time in times for by in (-1, 0, 1)}
    found = [instants.parse(rule.value) for question in asked
             for rule in question.rules if rule.field == 'timestamp']
    there = [bound for bound in found if bound in places or any(
        border(near, unit, zone) == near for near in (
            bound - 1, bound, bound + 1)
        for unit in ('hour', 'day') for zone in ('UTC', world.zone))]
    assert len(there) > len(found) / 2
    alone = {time for time in times if not {time - 1, time + 1} & times
             and 1 < time % HOUR < HOUR - 1}
    assert len([bound for bound in found if bound in alone]) > 20
    assert len([bound for bound in found if {bound - 1, bound + 1} & alone]
               ) > 20


def test_every_form_is_asked_several_times(asked: list[Question]) -> None:
    seen: Counter[str] = Counter()
    for question in asked:
        seen[question.kind] += 1
        seen.update({f'{rule.field.partition(".")[0]} {rule.op}'
                     for rule in question.rules})
        seen.update(f'group {name}' for name in question.groupby)
        seen.update(f'{name} {param}' for name, param in question.aggregates)
        seen['period'] += bool(question.period)
        seen['days'] += (question.period or 0) >= 86400
        seen['odd'] += (question.period or 0) % 60 != 0
        seen['unique'] += question.unique
        seen[f'{question.kind} without a limit'] += question.limit is None
        seen['typed'] += any(rule.type for rule in question.rules)
        seen['nobody'] += any(rule.value == 'None'
                              for rule in question.rules)
        seen['not there'] += (question.name or '').endswith('-not-there')
        seen['no links'] += question.meter_links == 0
    for form in (*Kind, 'timestamp ge', 'timestamp gt', 'timestamp lt',
                 'timestamp le', 'search_offset eq', 'project eq',
                 'project_id eq', 'user eq', 'resource eq', 'message_id eq',
                 'metadata eq', 'resource_metadata eq', 'group user_id',
                 'group project_id', 'group resource_id', 'group source',
                 'group metadata.instance_type', 'stddev None', 'avg None',
                 'cardinality resource_id', 'cardinality user_id', 'period',
                 'days', 'odd', 'unique', 'typed', 'nobody', 'not there',
                 'no links', 'samples without a limit',
                 'meter without a limit', 'meters without a limit',
                 'resources without a limit'):
        assert seen[form] >= 3, form


def test_a_summary_keeps_some_of_many(world: World) -> None:
    samples = list(islice(world.samples(), 100))
    many = summary(samples * 30, source='s', zone='UTC', seed=1)
    assert (many.count, len(many.kept)) == (3000, KEPT)
    assert {sample.meter for sample in samples} == set(many.meters)


def test_nothing_is_asked_of_nothing() -> None:
    empty = summary((), source='s', zone='UTC', seed=1)
    assert list(random_questions(empty, 1, 10)) == []


@pytest.mark.parametrize(('unit', 'begin'), [
    ('hour', '2026-03-08T16:00:00'), ('day', '2026-03-08T05:00:00'),
    ('week', '2026-03-02T05:00:00'), ('month', '2026-03-01T05:00:00')])
def test_days_begin_where_their_zone_says(unit: str, begin: str) -> None:
    noon = calendar.instant(datetime.datetime(
        2026, 3, 8, 16, 30, tzinfo=datetime.UTC))
    assert instants.show(border(noon, unit, 'America/New_York')) == begin
