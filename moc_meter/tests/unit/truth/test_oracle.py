# SPDX-License-Identifier: Apache-2.0
"""A second opinion: SQL by hand over a dump of the samples.

The two have nothing in common but the question. A volume is kept in two
parts, as SQLite's integers have 64 bits only.
"""

from __future__ import annotations

import itertools
import json
import random
import sqlite3
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest

from moc_meter.truth import answers, instants, questions
from moc_meter.truth.forms import SECOND, UNIT, Sample
from moc_meter.truth.questions import Kind, Question, Rule
from moc_meter.truth.world import World

SEEDS = (1, 2, 3, 4, 5, 6)
_PART = 10 ** 12
_PERIODS = (1, 59, 3600, 3601, 86400, 90001)
#: Makes every volume a text of one length that sorts as the number does.
_SHIFT = 10 ** 40


class Dump:
    """The samples of a world, in a database of their own."""

    def __init__(self, world: World) -> None:
        self.samples = list(world.samples())
        self._base = sqlite3.connect(':memory:')
        self._base.execute(
            'CREATE TABLE s (id, t, meter, kind, unit, hi, lo, sorted, '
            'resource, project, user, metadata)')
        self._base.executemany(
            'INSERT INTO s VALUES (?,?,?,?,?,?,?,?,?,?,?,?)',
            map(_row, self.samples))

    def ask(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return self._base.execute(sql, values).fetchall()

    def close(self) -> None:
        self._base.close()


def _row(sample: Sample) -> tuple[object, ...]:
    return (sample.message_id, sample.timestamp, sample.meter, sample.kind,
            sample.unit, sample.volume // _PART, sample.volume % _PART,
            f'{sample.volume + _SHIFT:042}', sample.resource_id,
            sample.project_id, sample.user_id, json.dumps(sample.metadata))


@pytest.fixture(scope='module', params=SEEDS)
def dump(request: pytest.FixtureRequest) -> Iterator[Dump]:
    found = Dump(World(request.param, decimals=request.param % 2 == 0))
    yield found
    found.close()


def ranges(dump: Dump, count: int) -> Iterator[tuple[int, int]]:
    """Between instants on samples, and a microsecond beside."""
    dice = random.Random(f'ranges {dump.samples[0].source}')
    for _ in range(count):
        yield tuple(sorted(     # type: ignore[misc]
            dice.choice(dump.samples).timestamp + dice.choice((-1, 0, 0, 1))
            for _ in '12'))


def bounds(start: int, end: int, lower: str = 'ge', upper: str = 'lt'
           ) -> tuple[Rule, ...]:
    return (Rule('timestamp', lower, instants.show(start)),
            Rule('timestamp', upper, instants.show(end)))


def answered(dump: Dump, **question: Any) -> list[dict[str, Any]]:
    asked = Question(**question)
    assert questions.parse(asked.url()) == asked
    [found] = answers.answer([asked], dump.samples)
    shown = found.shown()
    assert isinstance(shown, list)
    return shown


_FIGURES = ('count(*), sum(hi), sum(lo), min(sorted), max(sorted), min(t), '
            'max(t)')


def figures(row: tuple[Any, ...]) -> dict[str, object]:
    """As the API says them, of a row of _FIGURES."""
    count, high, low, least, most, first, last = row
    total = Fraction(high * _PART + low, UNIT)
    return {'count': count, 'sum': total, 'avg': float(total / count),
            'min': Fraction(int(least) - _SHIFT, UNIT),
            'max': Fraction(int(most) - _SHIFT, UNIT),
            'duration_start': instants.show(first),
            'duration_end': instants.show(last),
            'duration': float(Fraction(last - first, SECOND))}


def test_statistics_of_ranges(dump: Dump) -> None:
    for (start, end), meter in zip(ranges(dump, 60), itertools.cycle(
            sorted({sample.meter for sample in dump.samples})), strict=False):
        for sql, lower, upper in (('t >= ? AND t < ?', 'ge', 'lt'),
                                  ('t > ? AND t <= ?', 'gt', 'le')):
            wanted = {unit: figures(tuple(row)) for unit, *row in dump.ask(
                f'SELECT unit, {_FIGURES} FROM s WHERE meter = ? AND {sql} '
                'GROUP BY unit', meter, start, end)}
            found = answered(dump, kind=Kind.STATISTICS, name=meter,
                             rules=bounds(start, end, lower, upper))
            assert {row['unit'] for row in found} == set(wanted)
            for row in found:
                assert row == {**row, **wanted[row['unit']]}


def test_statistics_by_periods_from_the_lower_bound(dump: Dump) -> None:
    for (start, end), seconds in zip(ranges(dump, 30),
                                     itertools.cycle(_PERIODS),
                                     strict=False):
        wanted = {
            (unit, start + place * seconds * SECOND): figures(tuple(row))
            for unit, place, *row in dump.ask(
                f'SELECT unit, (t - ?) / ?, {_FIGURES} FROM s WHERE '
                "meter = 'cpu' AND t >= ? AND t < ? GROUP BY 1, 2",
                start, seconds * SECOND, start, end)}
        check_periods(answered(dump, kind=Kind.STATISTICS, name='cpu',
                               rules=bounds(start, end), period=seconds),
                      wanted, seconds)


def test_statistics_by_periods_from_the_earliest(dump: Dump) -> None:
    [(first,)] = dump.ask(
        "SELECT min(t) FROM s WHERE meter = 'cpu' AND project = 'climate'")
    if first is None:
        return
    for seconds in _PERIODS:
        wanted = {
            (unit, first + place * seconds * SECOND): figures(tuple(row))
            for unit, place, *row in dump.ask(
                f'SELECT unit, (t - ?) / ?, {_FIGURES} FROM s WHERE '
                "meter = 'cpu' AND project = 'climate' GROUP BY 1, 2",
                first, seconds * SECOND)}
        check_periods(
            answered(dump, kind=Kind.STATISTICS, name='cpu', period=seconds,
                     rules=(Rule('project', 'eq', 'climate'),)),
            wanted, seconds)


def check_periods(found: list[dict[str, Any]],
                  wanted: dict[tuple[str, int], dict[str, object]],
                  seconds: int) -> None:
    assert len(found) == len(wanted)
    for row in found:
        begin = instants.parse(row['period_start'])
        assert row == {**row, **wanted[row['unit'], begin],
                       'period': seconds, 'period_end': instants.show(
                           begin + seconds * SECOND)}


@pytest.mark.parametrize(('group', 'column'), [
    ('project_id', 'project'), ('user_id', 'user'),
    ('resource_id', 'resource'),
    ('metadata.instance_type', "json_extract(metadata, '$.instance_type')")])
def test_statistics_by_groups(dump: Dump, group: str, column: str) -> None:
    for (start, end), meter in zip(ranges(dump, 10), itertools.cycle(
            ('cpu', 'vcpus', 'memory.usage')), strict=False):
        lacking = f'{column} IS NOT NULL AND ' if '(' in column else ''
        wanted = {(unit, value): (*figures(tuple(row)).values(), different)
                  for unit, value, different, *row in dump.ask(
            f'SELECT unit, {column}, count(DISTINCT user), {_FIGURES} '
            f'FROM s WHERE {lacking} meter = ? AND t >= ? AND t < ? '
            'GROUP BY 1, 2', meter, start, end)}
        asked: dict[str, Any] = {
            'kind': Kind.STATISTICS, 'name': meter, 'groupby': (group,),
            'rules': bounds(start, end)}
        found = answered(dump, **asked)
        counted = answered(dump, **asked, aggregates=(
            ('cardinality', 'user_id'),))
        assert {(row['unit'], row['groupby'][group]): (
            *(row[name] for name in (
                'count', 'sum', 'avg', 'min', 'max', 'duration_start',
                'duration_end', 'duration')),
            other['aggregate']['cardinality/user_id'])
            for row, other in zip(found, counted, strict=True)} == wanted


def test_samples_of_ranges(dump: Dump) -> None:
    for start, end in ranges(dump, 20):
        wanted = dump.ask(
            'SELECT id, t FROM s WHERE t >= ? AND t < ? ORDER BY t DESC '
            'LIMIT 50', start, end)
        found = answered(dump, kind=Kind.SAMPLES, limit=50,
                         rules=bounds(start, end))
        assert [row['timestamp'] for row in found] == [
            instants.show(at) for _, at in wanted]
        if wanted:      # all but those at the cut are sure
            cut = wanted[-1][1]
            assert {row['id'] for row in found
                    if row['timestamp'] != instants.show(cut)} == {
                name for name, at in wanted if at != cut}


def test_samples_by_metadata(dump: Dump) -> None:
    for path, value in (('flavor.vcpus', 1), ('flavor.vcpus', 8),
                        ('image.public', True), ('tags[0]', 'research'),
                        ('state', 'active')):
        wanted = {name for name, in dump.ask(
            'SELECT id FROM s WHERE json_extract(metadata, ?) = ?',
            f'$.{path}', value)}
        assert {row['id'] for row in answered(
            dump, kind=Kind.SAMPLES, limit=100_000, rules=(
                Rule(f'metadata.{path}', 'eq', str(value)),))} == wanted


def test_meters(dump: Dump) -> None:
    wanted = dump.ask('SELECT DISTINCT meter, resource, kind, unit FROM s '
                      "WHERE project = 'climate' ORDER BY 1, 2 LIMIT 40")
    found = answered(dump, kind=Kind.METERS, limit=40,
                     rules=(Rule('project', 'eq', 'climate'),))
    assert [(row['name'], row['resource_id'], row['type'], row['unit'])
            for row in found] == wanted
    assert len(answered(dump, kind=Kind.METERS, limit=1000, unique=True)
               ) == len(dump.ask('SELECT DISTINCT meter, kind, unit FROM s'))


def test_resources(dump: Dump) -> None:
    for start, end in ranges(dump, 10):
        wanted = dump.ask(
            'SELECT resource, min(t), max(t) FROM s WHERE t >= ? AND t < ? '
            'GROUP BY 1 ORDER BY 1', start, end)
        found = answered(dump, kind=Kind.RESOURCES, limit=1000,
                         rules=bounds(start, end))
        assert [(row['resource_id'], row['first_sample_timestamp'],
                 row['last_sample_timestamp']) for row in found] == [
            (resource, instants.show(first), instants.show(last))
            for resource, first, last in wanted]
        for row in found:
            said = dump.ask(
                'SELECT project, user FROM s WHERE resource = ? AND t = ?',
                row['resource_id'],
                instants.parse(row['last_sample_timestamp']))
            assert (row['project_id'], row['user_id']) in said
            meters = dump.ask('SELECT DISTINCT meter FROM s WHERE '
                              'resource = ? ORDER BY 1', row['resource_id'])
            assert [link.split()[0] for link in row['links']] == [
                'self', *(meter for meter, in meters)]
