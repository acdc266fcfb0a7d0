# SPDX-License-Identifier: Apache-2.0
"""Questions on events: as the fake answers, and at a page's cost."""

from __future__ import annotations

import contextlib
import datetime
import re
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moc_meter.model import period
from moc_meter.model.events import COMPARISONS, EventSelection, TraitRule
from moc_meter.model.expression import Op
from moc_meter.model.query import RetentionLevel, StoredSample
from moc_meter.model.sample import Sample
from moc_meter.model.traits import Trait, TraitType, spelled
from moc_meter.storage.samples import happened
from moc_meter.storage.samples.base import SampleStore
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.contract.fakes import FakeStore
from moc_meter.tests.functional.storage.test_events import event
from moc_meter.tests.stores import NOW, count, expire

EXAMPLES = {'sqlite': 80, 'postgresql': 25, 'mysql': 25}
PLANS = {'sqlite': 'EXPLAIN QUERY PLAN ', 'postgresql': 'EXPLAIN ',
         'mysql': 'EXPLAIN '}
VALUES: list[tuple[TraitType, Any]] = [
    *((TraitType.STRING, text) for text in ('', 'a', 'A', 'a ', '10', '9')),
    *((TraitType.INTEGER, number) for number in (
        -2 ** 63, -1, 0, 9, 10, 2 ** 53, 2 ** 53 + 1, 2 ** 63 - 1)),
    *((TraitType.FLOAT, number) for number in (
        -1e300, -0.1, 0.0, 1e-300, 0.1, 0.1 + 2 ** -56, 9.0, 10.0)),
    *((TraitType.DATETIME, NOW + step * period.MICROSECOND)
      for step in (-1, 0, 1))]
NAMES = st.sampled_from(['n', 'm', 'N'])


def instants() -> st.SearchStrategy[datetime.datetime]:
    return st.integers(0, 4).map(lambda hour: NOW + hour * period.HOUR)


@st.composite
def events(draw: st.DrawFn) -> list[Sample]:
    """Some events; several of one instant, of all kinds of ids."""
    ids = draw(st.lists(st.sampled_from([*'abcdefgh', '0' * 32, 'f' * 32]),
                        unique=True, max_size=9))
    owners = st.fixed_dictionaries({}, optional={
        'project_id': st.sampled_from(['p1', 'p2', 7]),
        'user_id': st.sampled_from(['u1', 'u2'])})
    said = st.dictionaries(NAMES, st.sampled_from(VALUES).map(
        lambda one: spelled(one[1]) if one[0] is TraitType.DATETIME
        else one[1]))
    return [event(message_id=name, timestamp=draw(instants()),
                  meter=draw(st.sampled_from(['x', 'y'])),
                  resource_id=draw(st.sampled_from(['i', 'j'])),
                  metadata=draw(said) | draw(owners)) for name in ids]


def rules() -> st.SearchStrategy[TraitRule]:
    than = st.builds(
        lambda name, one: Trait(name=name, type=one[0], value=one[1]),
        NAMES, st.sampled_from(VALUES))
    return st.builds(TraitRule, op=st.sampled_from(list(COMPARISONS)),
                     than=than)


SELECTIONS = st.builds(
    EventSelection, event_type=st.sampled_from([None, 'x', 'y']),
    message_id=st.sampled_from([None, None, None, 'a', 'f' * 32]),
    traits=st.lists(rules(), max_size=2).map(tuple),
    start=st.none() | instants(), end=st.none() | instants(),
    projects=st.sampled_from([
        None, frozenset(('p1',)), frozenset(('p1', None)),
        frozenset(('7', 'p2')), frozenset()]))


def paged(store: SampleStore, selection: EventSelection, limit: int
          ) -> list[Sample]:
    found: list[StoredSample] = []
    while page := store.events(selection, limit,
                               found[-1] if found else None):
        assert len(page) <= limit
        found += page
    return [one.sample for one in found]


def test_events_are_those_selected_in_their_order(engine: sa.Engine) -> None:
    @settings(deadline=None, max_examples=EXAMPLES[engine.dialect.name],
              suppress_health_check=[HealthCheck.too_slow])
    @given(events(), st.lists(SELECTIONS, min_size=1, max_size=6),
           st.integers(1, 4))
    def compare(batch: list[Sample], selections: list[EventSelection],
                limit: int) -> None:
        with engine.begin() as conn:
            for table in (tables.event_trait, tables.event,
                          tables.event_form):
                conn.execute(sa.delete(table))
        store, fake = SqlSampleStore(engine), FakeStore()
        for one in (store, fake):
            one.write(batch, NOW)
        for selection in selections:
            assert paged(store, selection, limit) == paged(
                fake, selection, 99)
        assert store.event_types() == fake.event_types()
        for kind in ('x', 'y'):
            assert store.trait_types(kind) == fake.trait_types(kind)

    compare()


def test_types_go_with_the_last_of_their_events(engine: sa.Engine) -> None:
    store = SqlSampleStore(engine)
    store.write([event(0, meter='old'), event(1)], NOW)
    store.write([event(48)], NOW)       # a later day, then again the first
    store.write([event(2)], NOW)
    day = period.floor(NOW, period.DAY)
    assert len(store.event_types()) == 2
    expire(store, day + period.DAY, RetentionLevel.EVENTS)
    assert store.event_types() == ['compute.instance.create.end']
    assert store.trait_types('old') == []
    assert len(store.trait_types('compute.instance.create.end')) == 6
    expire(store, day + 9 * period.DAY, RetentionLevel.EVENTS)
    assert count(engine, tables.event_form) == 0


OWN, STATE = 'p-9', Trait(name='state', type=TraitType.STRING, value='s-9')
BY_STATE = (TraitRule(op=Op.EQ, than=STATE),)
_VALUE = 'event_trait_project_id_name_type_value_timestamp'
#: Questions, and the index that a page of the answer is a stretch of.
CHEAP = (
    (EventSelection(), 'event_timestamp'),
    (EventSelection(projects=frozenset((OWN,))), 'event_project_id_timestamp'),
    (EventSelection(event_type='t-9'), 'event_event_type_timestamp'),
    (EventSelection(event_type='t-9', projects=frozenset((OWN,))),
     'event_project_id_event_type_timestamp'),
    (EventSelection(message_id='theirs'), 'event_key'),
    (EventSelection(projects=frozenset((OWN,)), traits=BY_STATE), _VALUE),
    (EventSelection(projects=frozenset((None,)), traits=BY_STATE), _VALUE))


@contextlib.contextmanager
def explained(conn: sa.Connection) -> Iterator[list[str]]:
    """The lines of the plans of all that is asked meanwhile."""
    asked: list[tuple[str, Any]] = []
    lines: list[str] = []

    def keep(_conn: Any, _cursor: Any, statement: str, parameters: Any,
             *_: object) -> None:
        asked.append((statement, parameters))

    sa.event.listen(conn, 'before_cursor_execute', keep)
    yield lines
    sa.event.remove(conn, 'before_cursor_execute', keep)
    for statement, parameters in asked:
        lines += [str(row) for row in conn.exec_driver_sql(
            PLANS[conn.dialect.name] + statement, parameters)]


@pytest.fixture
def crowd(engine: sa.Engine) -> sa.Engine:
    """So many events that no database would rather read them all."""
    store = SqlSampleStore(engine)
    for start in range(0, 4000, 500):
        store.write([event(
            number, timestamp=NOW + number * period.MICROSECOND,
            meter=f't-{number % 40}', message_id=f'm-{number}',
            metadata={'state': f's-{number % 40}'} | (
                {'project_id': f'p-{number % 40}'} if number % 7 else {}))
            for number in range(start, start + 500)], NOW)
    statement = {'sqlite': 'ANALYZE', 'postgresql': 'ANALYZE',
                 'mysql': 'ANALYZE TABLE event, event_trait, series'}
    with engine.connect() as conn:
        conn.execution_options(isolation_level='AUTOCOMMIT')
        conn.exec_driver_sql(statement[engine.dialect.name])
    return engine


def test_a_page_of_events_is_a_stretch_of_an_index(crowd: sa.Engine) -> None:
    for asked, index in CHEAP:
        with crowd.connect() as conn, explained(conn) as plans:
            happened.listed(conn, asked, 10)
        assert any(f'ix_{index}' in line for line in plans), (asked, plans)
        assert not [line for line in plans if reads_a_whole_table(line)]


def reads_a_whole_table(line: str) -> bool:
    """Whether a line of a plan reads all the events, or all the traits."""
    return any(re.search(pattern, line) for pattern in (
        'Seq Scan on event', r"'event\w*', 'ALL'", r'SCAN event(?!.*USING)'))
