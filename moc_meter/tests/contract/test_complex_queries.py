# SPDX-License-Identifier: Apache-2.0
"""Complex queries mean the same on every database, and page by page."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moc_meter import errors
from moc_meter.model import metadata, period, query
from moc_meter.model.expression import (
    INSTANTS,
    Among,
    Column,
    Compare,
    Either,
    Every,
    Expression,
    Not,
    Op,
    Order,
    Path,
)
from moc_meter.model.query import Selection
from moc_meter.model.sample import MeterKind, Sample
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.tests.contract import matching
from moc_meter.tests.contract.fakes import FakeStore
from moc_meter.tests.functional.storage import maker
from moc_meter.tests.stores import migrated

#: How thoroughly the properties are tested on each database.
EXAMPLES = {'sqlite': 150, 'postgresql': 60, 'mysql': 60}
_MOMENTS = [maker.MARCH + hours * period.HOUR for hours in (0, 1, 25, 49)]
_METADATA: tuple[dict[str, Any], ...] = (
    {}, {'n': 2}, {'n': 10}, {'n': 2.5}, {'n': '2'}, {'n': True},
    {'n': None}, {'n': 1e300}, {'n': 1e-7}, {'n': 2 ** 53 + 1},
    {'n': float(2 ** 53)}, {'a': {'b': 'x'}, 'a.b': 'y'}, {'t': ['x', 'X']})
_TEXTS = ['', 'a', 'A', 'a ', '%', 'u\u0308', 'disk', 'delta']
_PATTERNS = ['a', '^a$', '.', 'A|d', r'\w', '^$', 'x{2}', '%']


def _samples() -> list[Sample]:
    """Of which every two differ in some way."""
    return [maker.sample(
        message_id=[f'{number:032x}', f'id {number}'][number % 2],
        meter=['disk', 'Disk'][number // 2 % 2],
        kind=list(MeterKind)[number % 4], unit=['GB', 'gb', ''][number % 3],
        volume=[Decimal(-1), Decimal('0.1'), Decimal(10), Decimal(9),
                Decimal('0.000000001'), Decimal(0)][number % 6],
        resource_id='aA%'[number % 3],
        project_id=[None, '', 'p1', 'P1'][number % 4],
        user_id=[None, '', 'a', 'a ', 'u\u0308'][number % 5],
        timestamp=_MOMENTS[number % 4] + number % 3 * period.MICROSECOND,
        metadata=_METADATA[number % len(_METADATA)]) for number in range(60)]


SAMPLES = _samples()
NOW = maker.MARCH + 9 * period.DAY


@pytest.fixture(scope='module')
def fake() -> FakeStore:
    made = FakeStore()
    made.write(SAMPLES, NOW)
    return made


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    with migrated(database_url) as made:
        yield made


@pytest.fixture
def store(engine: sa.Engine) -> SqlSampleStore:
    made = SqlSampleStore(engine)
    made.write(SAMPLES, NOW)
    return made


def _value(column: Column) -> st.SearchStrategy[Any]:
    if column in INSTANTS:
        return st.sampled_from([*_MOMENTS, NOW + 7 * period.MICROSECOND])
    if column is Column.VOLUME:
        return st.sampled_from([Decimal(text) for text in (
            '0', '0.1', '9', '10', '0.0000000005', '-1.00000000001',
            '1e400', '-1e30')])
    return st.sampled_from([*_TEXTS, SAMPLES[3].message_id,
                            SAMPLES[4].message_id])


@st.composite
def comparisons(draw: st.DrawFn) -> Expression:
    subject: Column | Path = draw(st.sampled_from(
        [*Column, *map(Path, ('n', 'a.b', 't[1]', 'none'))]))
    op = draw(st.sampled_from(Op))
    if isinstance(subject, Path):
        if op is Op.MATCH:
            return Compare(subject, op, (metadata.TEXT,
                                         draw(st.sampled_from(_PATTERNS))))
        values = st.sampled_from([
            'x', 'X', '2', True, False, 2, 2.5, 1e300, 2 ** 53 + 1,
            1e-7]).map(metadata.scalar)
    elif op is Op.MATCH:
        if subject in (*INSTANTS, Column.VOLUME):
            op = Op.NE
            values = _value(subject)
        else:
            values = st.sampled_from(_PATTERNS)
    else:
        values = _value(subject)
    if op is Op.EQ and draw(st.booleans()):
        return Among(subject, tuple(draw(st.lists(values, min_size=1,
                                                  max_size=3))))
    return Compare(subject, op, draw(values))


expressions = st.recursive(comparisons(), lambda inner: st.one_of(
    st.lists(inner, min_size=2, max_size=3).map(lambda x: Every(tuple(x))),
    st.lists(inner, min_size=2, max_size=3).map(lambda x: Either(tuple(x))),
    inner.map(Not)), max_leaves=6)
orders: st.SearchStrategy[Order] = st.lists(
    st.tuples(st.sampled_from(Column), st.booleans()), max_size=2).map(tuple)


def test_an_expression_means_the_same_as_one_by_one(
        store: SqlSampleStore, engine: sa.Engine, fake: FakeStore) -> None:
    @settings(deadline=None, max_examples=EXAMPLES[engine.dialect.name],
              suppress_health_check=[HealthCheck.too_slow])
    @given(expressions, orders, st.integers(1, 70))
    def compare(where: Expression, sort: Order, limit: int) -> None:
        expected = fake.samples(Selection(), limit, where=where, sort=sort)
        assert store.samples(Selection(), limit, where=where,
                             sort=sort) == expected

    compare()


@pytest.mark.parametrize('sort', [
    (), ((Column.USER, False), (Column.VOLUME, True)),
    ((Column.PROJECT, True), (Column.KIND, True)),
    ((Column.MESSAGE, False),), ((Column.TIMESTAMP, False),)], ids=str)
def test_pages_of_samples_are_the_whole(
        store: SqlSampleStore, fake: FakeStore, sort: Order) -> None:
    for where in None, Not(Compare(Path('n'), Op.GT, ('number', '2'))):
        found: list[query.StoredSample] = []
        while page := store.samples(Selection(), 7, where=where, sort=sort,
                                    after=found[-1] if found else None):
            found += page
        assert found == fake.samples(Selection(), 99, where=where, sort=sort)


def test_pages_of_meters_and_resources_are_the_whole(
        store: SqlSampleStore, fake: FakeStore) -> None:
    for unique in False, True:
        meters: list[query.MeterSeen] = []
        while page := store.meters(Selection(), 1 + len(meters) % 3, unique,
                                   meters[-1] if meters else None):
            meters += page
        assert [dataclasses.replace(one, source=None, project_id=None,
                                    user_id=None) for one in meters] == [
            dataclasses.replace(one, source=None, project_id=None,
                                user_id=None)
            for one in fake.meters(Selection(), None, unique)]
    names: list[str] = []
    while resource := store.resources(Selection(), 1,
                                      names[-1] if names else None):
        names.append(resource[0].resource_id)
    assert names == ['%', 'A', 'a']


def test_what_arrives_meanwhile_neither_doubles_nor_hides_a_sample(
        store: SqlSampleStore) -> None:
    """Newer ones come before the page, older ones after it."""
    found: list[query.StoredSample] = []
    for turn in range(99):
        page = store.samples(Selection(), 5,
                             after=found[-1] if found else None)
        if not page:
            break
        found += page
        store.write([maker.sample(
            message_id=f'late {turn} {place}', timestamp=instant)
            for place, instant in enumerate((
                maker.MARCH + 99 * period.DAY, page[0].sample.timestamp,
                page[-1].sample.timestamp))],
            NOW + (turn + 1) * period.HOUR)
    identities = [one.sample.message_id for one in found]
    assert len(set(identities)) == len(identities)
    assert set(identities) >= {one.message_id for one in SAMPLES}


@pytest.mark.parametrize('pattern', ['(', '[', '*a', 'a{2,1}'])
def test_what_is_no_regular_expression_is_refused(
        store: SqlSampleStore, pattern: str) -> None:
    with pytest.raises(errors.InvalidQuery, match='regular expression'):
        store.check_expression(pattern)


def test_a_regular_expression_that_explodes_ends(
        store: SqlSampleStore) -> None:
    """Backtracking, its time would double with every letter."""
    store.write([maker.sample(message_id='bomb', user_id='a' * 60 + 'b')],
                NOW + period.DAY)
    started = datetime.datetime.now(datetime.UTC)
    assert store.samples(Selection(), 99, where=Compare(
        Column.USER, Op.MATCH, '^(a+)+$')) == matching.listed(
        store.samples(Selection(), 99), Compare(
            Column.USER, Op.EQ, 'a'), ())
    assert (datetime.datetime.now(datetime.UTC) - started
            ) < datetime.timedelta(seconds=20)
