# SPDX-License-Identifier: Apache-2.0
"""What the sample store promises to those who write, on every database."""

from __future__ import annotations

import contextlib
import datetime
import itertools
import queue
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import hypothesis
import pytest
import sqlalchemy as sa
from hypothesis import strategies as st

from moc_meter import errors
from moc_meter.model import quantity
from moc_meter.model.sample import Refused, Sample
from moc_meter.storage import engine as transactions
from moc_meter.storage.faults import DATABASE_ERRORS
from moc_meter.storage.samples import rollups
from moc_meter.storage.samples.base import SampleStore
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.servers.base import Server
from moc_meter.tests.servers.mariadb import MariaDB
from moc_meter.tests.servers.postgresql import PostgreSQL
from moc_meter.tests.stores import (
    NOW,
    count,
    everything,
    migrated,
    sample,
    sums,
)

#: Texts that a careless comparison takes for one another, and 4-byte ones.
ALIKE = ('a', 'A', 'a ', ' a', '\u00e9', 'e\u0301', 'e', '\u00df', 'ss',
         'SS', '\u0131', 'i', 'I', '\U0001f600', '\U0001f601',
         '\U0001d49c', 'a%', 'a_', "a'", 'a\\', 'a\t', 'a\n')
LARGE = (Decimal('61728394506172839450617283945.061728394'),
         Decimal('12345678901234567890123456789.123456789'))
#: Of which tens make 38 digits.
LONG = Decimal('1234567890123456789012345678.123456789')


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    with migrated(database_url) as made:
        yield made


@pytest.fixture
def store(engine: sa.Engine) -> SampleStore:
    return SqlSampleStore(engine)


def test_a_batch_that_comes_again_is_counted_as_duplicates(
        store: SampleStore, engine: sa.Engine) -> None:
    batch = [sample(number) for number in range(20)]
    first = store.write([*batch, batch[3]], NOW)
    again = store.write(batch[::-1], NOW)
    assert (first.stored, first.duplicates, first.conflicts) == (20, 1, 0)
    assert (again.stored, again.duplicates, again.conflicts) == (0, 20, 0)
    assert sums(engine, tables.rollup_hour) == 190
    assert sums(engine, tables.rollup_day) == 190
    assert sums(engine, tables.rollup_month) == 190


def test_three_deliveries_to_two_racing_writers_are_stored_once(
        database_url: str) -> None:
    volumes = [LONG, Decimal('0.000000001')]
    samples = [sample(number, volume=volumes[number % 2],
                      resource_id=f'i-{number % 7}',
                      metadata={'state': number % 2})
               for number in range(0, 900, 3)]
    samples += [sample(number, volume=Decimal(-number))
                for number in range(1, 900, 3)]
    shuffled = random.Random(7)
    deliveries: queue.SimpleQueue[Sequence[Sample]] = queue.SimpleQueue()
    for _ in range(3):
        shuffled.shuffle(samples)
        left = iter(samples)
        while batch := list(itertools.islice(left,
                                             shuffled.randint(1, 150))):
            deliveries.put(batch)
    written = []

    def write() -> None:
        engine = transactions.make_engine(database_url)
        store = SqlSampleStore(engine)
        with contextlib.suppress(queue.Empty):
            while True:
                written.append(store.write(deliveries.get_nowait(), NOW))
        engine.dispose()

    with migrated(database_url) as engine:
        writers = [threading.Thread(target=write) for _ in range(2)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join(120)
        total = quantity.total(one.volume for one in samples)
        assert sum(one.stored for one in written) == 600
        assert sum(one.duplicates for one in written) == 1200
        assert count(engine, tables.sample) == 600
        assert sums(engine, tables.rollup_hour) == total
        assert sums(engine, tables.rollup_day) == total
        assert not list(rollups.verify(engine))


def test_texts_that_look_alike_stay_apart(
        store: SampleStore, engine: sa.Engine) -> None:
    batch = [sample(0, message_id=text) for text in ALIKE]
    for field in ('resource_id', 'project_id', 'user_id', 'source', 'meter',
                  'unit'):
        batch += [sample(0, **{field: text}) for text in ALIKE]
    batch += [sample(1, metadata={text: text}, resource_id=str(place))
              for place, text in enumerate(ALIKE)]
    assert store.write(batch, NOW).stored == len(batch)
    assert store.write(batch, NOW).duplicates == len(batch)
    with transactions.reading(engine) as conn:
        kept = conn.scalars(sa.select(tables.sample.c.message_id).where(
            tables.sample.c.message_id.is_not(None)))
        assert sorted(kept) == sorted(ALIKE)
        for text in ALIKE:
            assert conn.scalars(
                sa.select(tables.series.c.project_id)
                .where(tables.series.c.project_id == text)).all() == [text]
    assert not list(rollups.verify(engine))


def test_no_project_and_an_empty_project_are_two(
        store: SampleStore, engine: sa.Engine) -> None:
    store.write([sample(project_id=None), sample(project_id='')], NOW)
    assert count(engine, tables.series) == 2


def test_a_tenth_ten_times_is_one(store: SampleStore,
                                  engine: sa.Engine) -> None:
    for number in range(10):
        store.write([sample(number, volume=Decimal('0.1'),
                            timestamp=NOW)], NOW)
    assert sums(engine, tables.rollup_day) == sums(
        engine, tables.rollup_hour) == 1


@pytest.mark.parametrize('volume', [
    Decimal(2 ** 53 + 1), Decimal('0.000000001'), Decimal('-0.000000001'),
    Decimal('1E+19'), Decimal('99999999999999999999.999999999'),
    *LARGE], ids=str)
def test_a_volume_comes_back_unchanged(
        store: SampleStore, engine: sa.Engine, volume: Decimal) -> None:
    store.write([sample(volume=volume)], NOW)
    with transactions.reading(engine) as conn:
        assert conn.scalar(sa.select(tables.sample.c.volume)) == volume


def test_a_sum_keeps_38_digits(store: SampleStore,
                               engine: sa.Engine) -> None:
    for number, volume in enumerate(LARGE):
        store.write([sample(number, volume=volume, timestamp=NOW,
                            resource_id='one')], NOW)
    with transactions.reading(engine) as conn:
        assert conn.scalar(sa.select(tables.rollup_day.c.sum)) == (
            quantity.total(LARGE))


def test_extremes_are_those_of_numbers(store: SampleStore,
                                       engine: sa.Engine) -> None:
    for number, volume in enumerate((9, 10, -2, -10, 100)):
        store.write([sample(number, volume=Decimal(volume), timestamp=NOW,
                            resource_id='one')], NOW)
    with transactions.reading(engine) as conn:
        cell = conn.execute(sa.select(tables.rollup_day)).one()
    assert tuple(cell)[4:] == (5, 107, -10, 100)


def test_everything_that_a_sample_says_is_kept(
        store: SampleStore, engine: sa.Engine) -> None:
    said = sample(message_id='😀', sequence=2 ** 63 - 1, rounded=True,
                  interval=(NOW, NOW + datetime.timedelta(microseconds=1)),
                  counter_start=NOW)
    store.write([said], NOW)
    with transactions.reading(engine) as conn:
        row = conn.execute(sa.select(tables.sample)).one()
    assert (row.message_id, row.key, row.timestamp) == (
        '😀', said.key, said.timestamp)
    start = int(NOW.timestamp()) * 10 ** 6
    assert row.details == (
        f'c{start} i{start}/{start + 1} s{2 ** 63 - 1} r')


def test_recorded_is_the_batch_plus_the_place_in_it(
        store: SampleStore, engine: sa.Engine) -> None:
    store.write([sample(2), sample(0), sample(1)], NOW)
    with transactions.reading(engine) as conn:
        found = conn.execute(
            sa.select(tables.sample.c.volume, tables.sample.c.recorded_at)
            .order_by(tables.sample.c.recorded_at)).all()
    assert [tuple(row) for row in found] == [
        (volume, NOW + datetime.timedelta(microseconds=place))
        for place, volume in enumerate((2, 0, 1))]


@pytest.mark.parametrize('change', [
    {'volume': Decimal(9)}, {'metadata': {}}, {'sequence': 1},
    {'rounded': True}, {'counter_start': NOW}, {'interval': (NOW, NOW)}],
    ids=str)
def test_what_differs_under_a_kept_identity_is_set_aside_once(
        store: SampleStore, engine: sa.Engine,
        change: dict[str, object]) -> None:
    other = sample(1, **change)
    store.write([sample(1)], NOW)
    kept = everything(engine)
    for _ in range(3):
        written = store.write([other, sample(1)], NOW)
        assert (written.stored, written.duplicates, written.conflicts) == (
            0, 1, 1)
    assert everything(engine) == kept
    with transactions.reading(engine) as conn:
        aside = conn.execute(sa.select(tables.quarantine)).one()
    assert aside.code == errors.SampleConflict.code
    assert sample(1).message_id in aside.content.decode()


def test_of_two_that_differ_in_one_batch_the_first_stays(
        store: SampleStore, engine: sa.Engine) -> None:
    written = store.write([sample(1), sample(1, volume=Decimal(5))], NOW)
    assert (written.stored, written.conflicts) == (1, 1)
    assert sums(engine, tables.rollup_hour) == 1


def test_every_day_of_a_resource_is_marked_on_each_delivery(
        store: SampleStore, engine: sa.Engine) -> None:
    batch = [sample(number, resource_id='one') for number in range(20)]
    store.write(batch, NOW)
    store.write(batch[:2], NOW)
    with transactions.reading(engine) as conn:
        days = [mark.day.day for mark in conn.execute(
            sa.select(tables.mark).order_by(tables.mark.c.id))]
    assert days == [1, 2, 1]


def test_a_transaction_that_fails_leaves_nothing(
        store: SampleStore, engine: sa.Engine) -> None:
    store.write([sample(0)], NOW)
    kept = everything(engine)
    with transactions.writing(engine) as conn:
        conn.exec_driver_sql('DROP TABLE mark')
    with pytest.raises(DATABASE_ERRORS):
        store.write([sample(number) for number in range(9)], NOW)
    assert everything(engine) == kept
    with transactions.writing(engine) as conn:
        tables.mark.create(conn)
    assert store.write([sample(number) for number in range(9)],
                       NOW).stored == 8
    assert not list(rollups.verify(engine))


def test_what_is_refused_is_kept_once_with_its_bytes(
        store: SampleStore, engine: sa.Engine) -> None:
    one = Refused(content=bytes(range(256)), code='moc_meter.sample.invalid',
                  reason='😀', origin='agent')
    for _ in range(2):
        store.quarantine([one, one], NOW)
    with transactions.reading(engine) as conn:
        kept = conn.execute(sa.select(tables.quarantine)).one()
    assert (kept.content, kept.reason, kept.received_at) == (
        one.content, one.reason, NOW)


@pytest.fixture(params=['postgresql', 'mariadb'])
def own_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    server = {'postgresql': PostgreSQL, 'mariadb': MariaDB}[request.param]
    with server(durable=True) as running:
        yield running


def test_a_server_that_is_killed_between_batches_loses_nothing(
        own_server: PostgreSQL | MariaDB) -> None:
    with migrated(own_server.create_database()) as engine:
        store = SqlSampleStore(engine)
        store.ping()
        store.write([sample(number) for number in range(10)], NOW)
        own_server.kill()
        with pytest.raises(errors.StoreUnavailable):
            store.write([sample(number) for number in range(20)], NOW)
        with pytest.raises(errors.StoreUnavailable):
            store.ping()
        own_server.start()
        store.ping()
        assert store.write([sample(number) for number in range(20)],
                           NOW).stored == 10
        assert sums(engine, tables.rollup_day) == 190
        assert not list(rollups.verify(engine))


WRITER = """
import sys
from moc_meter.storage.engine import make_engine
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.tests.stores import NOW, sample
store = SqlSampleStore(make_engine(sys.argv[1]))
for batch in range(1000):
    store.write([sample(batch * 50 + place) for place in range(50)], NOW)
    print(batch, flush=True)
"""


def test_a_writer_that_is_killed_has_kept_what_it_acknowledged(
        engine: sa.Engine, database_url: str, tmp_path: Path) -> None:
    for acknowledged in (3, 6, 11):
        with subprocess.Popen([sys.executable, '-c', WRITER, database_url],
                              stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout
            last = next(itertools.islice(writer.stdout, acknowledged, None))
            writer.send_signal(signal.SIGKILL)
        kept = count(engine, tables.sample)
        assert kept >= (int(last) + 1) * 50
        assert kept % 50 == 0
        assert not list(rollups.verify(engine))
    batch = [sample(number) for number in range(kept + 10)]
    assert SqlSampleStore(engine).write(batch, NOW).stored == 10
    assert sums(engine, tables.rollup_hour) == sum(range(kept + 10))


def test_a_store_without_our_schema_says_what_to_run(
        database_url: str) -> None:
    engine = transactions.make_engine(database_url)
    with pytest.raises(errors.StoreMismatch,
                       match='moc-meter-manage db upgrade'):
        SqlSampleStore(engine).ping()
    engine.dispose()


SAMPLES = st.builds(
    sample, st.integers(0, 60),
    resource_id=st.sampled_from(['i-1', 'i-2', 'I-1']),
    timestamp=st.sampled_from([NOW + datetime.timedelta(minutes=17 * step)
                               for step in range(-120, 3)]),
    volume=st.decimals(min_value=-10 ** 19, max_value=10 ** 19, places=9,
                       allow_nan=False),
    metadata=st.sampled_from([{}, {'a': 1}, {'a': True}, {'a': 1.5}]))


BATCHES = st.lists(SAMPLES, min_size=1, max_size=40,
                   unique_by=lambda one: one.message_id)


@pytest.fixture
def new_database(request: pytest.FixtureRequest, tmp_path: Path
                 ) -> Callable[[], str]:
    """Makes one of the parameter's kind; returns its URL."""
    if request.param == 'sqlite':
        numbers = itertools.count()
        return lambda: f'sqlite:///{tmp_path}/{next(numbers)}'
    server = request.getfixturevalue(f'{request.param}_server')
    make: Callable[[], str] = server.create_database
    return make


@pytest.mark.parametrize(
    ('new_database', 'examples'),
    [('sqlite', 30), ('postgresql', 5), ('mariadb', 5)],
    indirect=['new_database'])
def test_any_order_batching_and_doubling_says_the_same(
        new_database: Callable[[], str], examples: int) -> None:
    @hypothesis.settings(max_examples=examples, deadline=None, database=None)
    @hypothesis.given(BATCHES, st.data())
    def check(samples: list[Sample], drawn: st.DataObject) -> None:
        with migrated(new_database()) as plain, migrated(
                new_database()) as other:
            SqlSampleStore(plain).write(samples, NOW)
            store = SqlSampleStore(other)
            left = iter(drawn.draw(st.permutations(samples * 2)))
            while batch := list(itertools.islice(
                    left, drawn.draw(st.integers(1, 30)))):
                store.write(batch, NOW)
            assert everything(plain) == everything(other)
            assert not list(rollups.verify(other))

    check()
