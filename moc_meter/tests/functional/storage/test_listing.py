# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moc_meter import errors
from moc_meter.model import period
from moc_meter.model.query import Field, MetadataRule, Selection, StoredSample
from moc_meter.model.sample import MeterKind, Sample
from moc_meter.storage import engine as transactions
from moc_meter.storage.samples import listing, seen
from moc_meter.tests.functional.storage import maker
from moc_meter.tests.functional.storage.maker import MARCH, sample

EVERYTHING = Selection()
#: How thoroughly the properties are tested on each database.
EXAMPLES = {'sqlite': 100, 'postgresql': 30, 'mysql': 30}
#: What makes each database tell its plan.
PLANS = {'sqlite': 'EXPLAIN QUERY PLAN ', 'postgresql': 'EXPLAIN ',
         'mysql': 'EXPLAIN '}


def thorough(engine: sa.Engine) -> settings:
    return settings(deadline=None, max_examples=EXAMPLES[engine.dialect.name],
                    suppress_health_check=[HealthCheck.too_slow])


def newest(engine: sa.Engine, selection: Selection = EVERYTHING,
           limit: int = 100) -> list[StoredSample]:
    with transactions.reading(engine) as conn:
        return listing.samples(conn, selection, limit)


def test_samples_are_the_newest_of_those_selected(engine: sa.Engine) -> None:
    @thorough(engine)
    @given(maker.batches(40), maker.selections(), st.integers(1, 12))
    def compare(
            batches: list[list[Sample]], selection: Selection,
            limit: Any) -> None:
        with maker.holding(engine, batches) as stored:
            meant = maker.selected(selection)
            expected = maker.newest_first(
                one for one in stored if meant(one.sample))
            assert newest(engine, selection, limit) == expected[:limit]

    compare()


def test_meters_are_those_that_have_a_selected_sample(
        engine: sa.Engine) -> None:
    @thorough(engine)
    @given(maker.batches(), maker.selections(ids=False),
           st.none() | st.integers(1, 3), st.booleans())
    def compare(
            batches: list[list[Sample]], selection: Selection, limit: Any,
            unique: bool) -> None:
        with maker.holding(engine, batches) as stored, \
                transactions.reading(engine) as conn:
            assert seen.meters(conn, selection, limit, unique) == (
                maker.meters([one.sample for one in stored], selection,
                             unique)[:limit])

    compare()


def test_resources_are_as_their_newest_selected_sample_says(
        engine: sa.Engine) -> None:
    @thorough(engine)
    @given(maker.batches(), maker.selections(ids=False),
           st.none() | st.integers(1, 3))
    def compare(
            batches: list[list[Sample]], selection: Selection,
            limit: Any) -> None:
        with maker.holding(engine, batches) as stored, \
                transactions.reading(engine) as conn:
            assert seen.resources(conn, selection, limit) == (
                maker.resources([one.sample for one in stored],
                                selection)[:limit])

    compare()


def test_a_sample_comes_back_as_it_was_given(engine: sa.Engine) -> None:
    given_ = [
        sample(message_id='ID \U0001f600', metadata={'a': {'b': [1, 0.5]}},
               volume=Decimal('9007199254740993'), rounded=True,
               sequence=2 ** 53 + 1, user_id='',
               kind=MeterKind.DELTA, interval=(MARCH, MARCH + period.HOUR)),
        sample(message_id='0' * 32, volume=Decimal('0.000000001'),
               project_id=None, counter_start=MARCH,
               kind=MeterKind.CUMULATIVE)]
    with maker.holding(engine, [given_]) as stored:
        assert newest(engine) == maker.newest_first(stored)


def test_equal_timestamps_are_in_the_order_of_recording(
        engine: sa.Engine) -> None:
    same = [sample(message_id=str(place), resource_id=resource)
            for place, resource in enumerate('caab')]
    with maker.holding(engine, [same[:2], same[2:]]):
        assert [one.sample.message_id for one in newest(engine)] == [
            '0', '1', '2', '3']


def test_a_page_reaches_over_days_without_samples(engine: sa.Engine) -> None:
    rare = [sample(message_id=str(days),
                   timestamp=MARCH - days * period.DAY)
            for days in (0, 1, 40, 700, 5000)]
    with maker.holding(engine, [rare]):
        assert [one.sample.message_id for one in newest(engine)] == [
            '0', '1', '40', '700', '5000']


def test_old_metadata_are_found_behind_many_newer_samples(
        engine: sa.Engine) -> None:
    many = [sample(message_id=str(place), timestamp=MARCH
                   + place * period.HOUR,
                   metadata={'old': place < 3 or place == 199})
            for place in range(200)]
    old = Selection(metadata=(MetadataRule(
        path='old', values=(('boolean', 'True'),)),))
    with maker.holding(engine, [many]):
        for limit in range(1, 6):
            found = newest(engine, old, limit)
            assert [one.sample.message_id for one in found] == [
                '199', '2', '1', '0'][:limit]


def test_a_sample_is_found_by_its_id_within_the_row_scope(
        engine: sa.Engine) -> None:
    ours, other = sample(message_id='f' * 32), sample(message_id='F' * 32)
    with maker.holding(engine, [[ours, other]]), \
            transactions.reading(engine) as conn:
        for one in ours, other:
            for projects in None, frozenset({'p1'}):
                found = listing.sample(conn, one.message_id, projects)
                assert found is not None
                assert found.sample == one
        assert listing.sample(conn, ours.message_id,
                              frozenset({'p2'})) is None
        assert listing.sample(conn, 'g' * 32, None) is None


def test_an_id_whose_digest_is_another_ids_key_does_not_find_it(
        engine: sa.Engine) -> None:
    foreign = sample(message_id='foreign')
    with maker.holding(engine, [[foreign]]), \
            transactions.reading(engine) as conn:
        assert listing.sample(conn, foreign.key.hex, None) is None


def test_a_meter_stays_in_a_project_when_its_resource_moves_on(
        engine: sa.Engine) -> None:
    moved = [sample(), sample(message_id='2', project_id='p2',
                              timestamp=MARCH + period.DAY)]
    with maker.holding(engine, [moved]), transactions.reading(engine) as conn:
        [meter] = seen.meters(conn, Selection(projects=frozenset({'p1'})), 1)
        assert meter.project_id == 'p1'


def test_of_equal_instants_the_lesser_digest_is_the_newest(
        engine: sa.Engine) -> None:
    alike = [sample(message_id=str(place), project_id=str(place),
                    metadata={'place': place // 2}) for place in range(8)]
    for batch in alike, alike[::-1]:
        with maker.holding(engine, [batch]), \
                transactions.reading(engine) as conn:
            assert seen.meters(conn, EVERYTHING, 1) == maker.meters(
                alike, EVERYTHING, unique=False)
            assert seen.resources(conn, EVERYTHING, 1) == maker.resources(
                alike, EVERYTHING)


def test_a_resource_is_described_as_of_the_end_of_the_range(
        engine: sa.Engine) -> None:
    states = [sample(message_id=str(day), metadata={'day': day % 2},
                     timestamp=MARCH + day * period.DAY) for day in range(6)]
    with maker.holding(engine, [states]), \
            transactions.reading(engine) as conn:
        [found] = seen.resources(conn, Selection(
            start=MARCH + period.DAY, end=MARCH + 4 * period.DAY), 1)
    assert (found.first, found.last, found.metadata) == (
        MARCH + period.DAY, MARCH + 3 * period.DAY, {'day': 1})


def test_a_span_without_a_sample_in_range_is_no_resource(
        engine: sa.Engine) -> None:
    apart = [sample(), sample(message_id='2',
                              timestamp=MARCH + 9 * period.DAY)]
    with maker.holding(engine, [apart]), transactions.reading(engine) as conn:
        assert seen.resources(conn, Selection(
            start=MARCH + period.DAY, end=MARCH + 2 * period.DAY), 1) == []


def test_a_series_without_samples_is_no_meter_and_no_resource(
        engine: sa.Engine) -> None:
    with maker.holding(engine, [[sample()]]):
        with engine.begin() as conn:
            for table in ('sample', 'span', 'rollup_hour', 'rollup_day',
                          'rollup_month'):
                conn.exec_driver_sql(f'DELETE FROM {table}')
        with transactions.reading(engine) as conn:
            assert seen.meters(conn, EVERYTHING, 1) == []
            assert seen.resources(conn, EVERYTHING, 1) == []
            assert listing.samples(conn, EVERYTHING, 1) == []


def test_meters_and_resources_are_not_asked_by_message_id(
        engine: sa.Engine) -> None:
    with transactions.reading(engine) as conn, \
            pytest.raises(errors.InvalidQuery, match='by message id'):
        seen.meters(conn, Selection(message_ids=('1',)), 1)


def reads_samples(engine: sa.Engine,
                  ask: Callable[[sa.Connection], Any]) -> bool:
    """Whether the plan of a question names the table of the samples."""
    asked: list[tuple[str, Any]] = []
    with transactions.reading(engine) as conn:
        sa.event.listen(
            conn, 'before_cursor_execute',
            lambda _conn, _cursor, statement, parameters, *_: asked.append(
                (statement, parameters)))
        ask(conn)
        plans = [str(row) for statement, parameters in list(asked)
                 for row in conn.exec_driver_sql(
                     PLANS[engine.dialect.name] + statement, parameters)]
    return any(re.search(r'\bsample', line) for line in plans)


@pytest.mark.parametrize('selection', [
    EVERYTHING,
    Selection(series=((Field.PROJECT, 'p1'), (Field.RESOURCE, 'a'))),
    Selection(projects=frozenset({'p1'}), metadata=(MetadataRule(
        path='flavor', values=(('text', 'm1'),)),)),
])
def test_without_a_time_rule_no_sample_is_read(
        engine: sa.Engine, selection: Selection) -> None:
    with maker.holding(engine, [[sample(metadata={'flavor': 'm1'})]]):
        for ask in (lambda conn: seen.meters(conn, selection, 9),
                    lambda conn: seen.meters(conn, selection, 9, True),
                    lambda conn: seen.resources(conn, selection, 9)):
            assert not reads_samples(engine, ask)


def test_where_a_time_rule_cuts_a_span_samples_are_read(
        engine: sa.Engine) -> None:
    cut = dataclasses.replace(EVERYTHING, start=MARCH)
    with maker.holding(engine, [[sample()]]):
        assert reads_samples(
            engine, lambda conn: seen.resources(conn, cut, 9))
