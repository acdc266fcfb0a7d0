# SPDX-License-Identifier: Apache-2.0
"""Whatever is killed or stopped, nothing is lost and nothing is doubled.

Agent, collector and broker are killed with SIGKILL while the samples of a
made-up world, more than 100,000, are on their way from a spool over RabbitMQ
into each database: at the stations where something could be lost or doubled,
and several times. The API then answers questions about it. Meanwhile, since
it takes so long, another database is stopped for two minutes. The kills are
repeated with 20,000 samples of captured notifications.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from moc_meter.model import quantity, query
from moc_meter.model.sample import Sample
from moc_meter.storage.samples import rollups
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.acceptance import fault_questions, fault_samples
from moc_meter.tests.acceptance.fault_outage import Line, Outage
from moc_meter.tests.acceptance.fault_samples import Difference
from moc_meter.tests.acceptance.faults import Life, Stream
from moc_meter.tests.servers.postgresql import PostgreSQL
from moc_meter.tests.servers.rabbitmq import RabbitMQ
from moc_meter.tests.stores import count, migrated

pytestmark = pytest.mark.timeout(1200)

#: Confirmed before any collector is there.
STRANDED = 50
#: After messages; all together fewer than there are.
AGENTS: list[Life] = [
    [('unconfirmed', 1)], [('confirmed', 1)], [('unconfirmed', 77)],
    [('confirmed', 160), ('confirmed', 40)], [('unconfirmed', 130)],
    [('unconfirmed', 60), ('confirmed', 45)], [('confirmed', 200)]]
#: After samples; all together fewer than there are, with a batch of 1000 more
#: for each.
COLLECTORS: list[Life] = [
    [('uncommitted', 1)], [('unacknowledged', 1)], [('uncommitted', 5000)],
    [('unacknowledged', 9000), ('uncommitted', 4000)],
    [('unacknowledged', 11000)], [('uncommitted', 13000)],
    [('uncommitted', 7000), ('unacknowledged', 9000)]]
#: Of captured notifications, and the lives of these: every station, and the
#: broker once.
NOTIFIED = 261
NOTIFYING: list[Life] = [
    [('unconfirmed', 1)], [('confirmed', 20), ('unconfirmed', 40)],
    [('confirmed', 60)], [('unconfirmed', 50)]]
NOTED: list[Life] = [
    [('uncommitted', 1)], [('unacknowledged', 1)], [('uncommitted', 4000)],
    [('unacknowledged', 5000)]]
#: Seconds that the two collectors of the outage hold what they have: for
#: longer than it lasts, and for less.
HOLDING, GIVING_BACK = 1200, 5


@pytest.fixture(scope='module')
def frail_broker() -> Iterator[RabbitMQ]:
    """One that may be killed."""
    with RabbitMQ() as server:
        yield server


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    with migrated(database_url) as made:
        yield made


@pytest.fixture(scope='module')
def lines(rabbitmq_server: RabbitMQ, database: PostgreSQL,
          tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Line]]:
    folder = tmp_path_factory.mktemp('outage')
    with ExitStack() as stack:
        yield [stack.enter_context(closing(Line(
            folder / str(seconds), rabbitmq_server, database, seconds)))
            for seconds in (HOLDING, GIVING_BACK)]


@pytest.fixture(scope='module')
def database() -> Iterator[PostgreSQL]:
    """One that may be stopped."""
    with PostgreSQL(durable=True) as server:
        yield server


@pytest.fixture(scope='module')
def outage(database: PostgreSQL, lines: list[Line]) -> Iterator[Outage]:
    with closing(Outage(database, lines)) as begun:
        yield begun


@pytest.mark.usefixtures('outage')
def test_kills_lose_nothing_and_double_nothing(
        frail_broker: RabbitMQ, engine: sa.Engine, tmp_path: Path) -> None:
    stream = Stream(broker=frail_broker, engine=engine,
                    spool=tmp_path / 'spool',
                    messages=fault_samples.messages())
    stream.strand(STRANDED)
    stream.run(AGENTS, COLLECTORS,
               racing=1 if engine.dialect.name == 'sqlite' else 2)
    check(engine, stream.sent)
    report = fault_questions.asked(engine, stream.url,
                                   fault_samples.WORLD, tmp_path / 'api')
    assert report.ok, report.text()


def test_a_stopped_database_costs_neither_samples_nor_power(
        outage: Outage, lines: list[Line]) -> None:
    loads = outage.pass_by()
    assert max(loads) < 0.05
    # Of the one that gave back; it has taken nothing since, for so long.
    assert set(lines[1].deliveries) == {0, 1}
    outage.end()
    assert [line.log.count('given back') for line in lines] == [0, 1]
    for line in lines:
        assert line.finish() == 0
        assert line.deliveries == []
        check(line.engine, line.sent)


def test_kills_lose_and_double_nothing_of_mixed_notifications(
        frail_broker: RabbitMQ, engine: sa.Engine, tmp_path: Path) -> None:
    stream = Stream(broker=frail_broker, engine=engine,
                    spool=tmp_path / 'spool', messages=NOTIFIED,
                    load='notifications')
    assert len(stream.sent) > 20_000
    assert len({one.meter for one in stream.sent}) > 70
    stream.run(NOTIFYING, NOTED,
               racing=1 if engine.dialect.name == 'sqlite' else 2)
    check(engine, stream.sent)


def check(engine: sa.Engine, sent: Sequence[Sample]) -> None:
    """Everything is there, once, and everything derived is right."""
    assert Difference.between(sent, engine) == Difference()
    assert count(engine, tables.quarantine) == 0
    assert not list(rollups.verify(engine))
    rows = SqlSampleStore(engine).statistics(query.StatisticsQuestion(
        selection=query.Selection(), group_by=(query.Field.METER,)))
    assert quantity.total(row.statistics.sum for row in rows) == (
        quantity.total(one.volume for one in sent))
