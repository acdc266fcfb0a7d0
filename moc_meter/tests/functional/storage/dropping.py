# SPDX-License-Identifier: Apache-2.0
"""Samples of a week, of which a border drops some; and what is left."""

from __future__ import annotations

import datetime
import itertools
from typing import Any

import sqlalchemy as sa

from moc_meter.model import period
from moc_meter.model.query import (
    Field,
    MetadataRule,
    Selection,
    StatisticsQuestion,
)
from moc_meter.model.sample import Sample
from moc_meter.storage import engine as transactions
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.stores import everything, sample

TODAY = period.floor(datetime.datetime.now(datetime.UTC), period.DAY)
NOW = TODAY + 5 * period.DAY
#: Samples are of the days from FIRST to LAST. MariaDB's first partition takes
#: all before TODAY, so a border may lie within one, or between two.
FIRST, LAST = TODAY - 3 * period.DAY, TODAY + 3 * period.DAY
BORDERS = {'within': TODAY - period.DAY, 'between': TODAY + 2 * period.DAY}
BORDER = BORDERS['between']


def batch() -> list[Sample]:
    """Every 50 minutes one: 4 resources, of which one changes in between."""
    instants = itertools.takewhile(
        lambda instant: instant < LAST + period.DAY,
        (FIRST + place * datetime.timedelta(minutes=50)
         for place in itertools.count()))
    return [sample(number, timestamp=instant, resource_id=f'i-{number % 4}',
                   metadata={'state': 'new' if number % 4 or number < 70
                             else 'old'})
            for number, instant in enumerate(instants)]


def stored(engine: sa.Engine) -> SqlSampleStore:
    """Of all of these."""
    made = SqlSampleStore(engine)
    made.write(batch(), NOW)
    return made


OLD = [one for one in batch() if one.timestamp < BORDER]


def by(length: datetime.timedelta | None = None, **rules: Any
       ) -> StatisticsQuestion:
    return StatisticsQuestion(
        selection=Selection(**rules), period=length,
        origin=TODAY if length else None, group_by=(Field.RESOURCE,))


def derived(engine: sa.Engine) -> dict[str, list[Any]]:
    return {name: rows for name, rows in everything(engine).items()
            if name != 'sample'}


def aside(engine: sa.Engine) -> list[str]:
    with transactions.reading(engine) as conn:
        return list(conn.scalars(sa.select(tables.quarantine.c.code)))


def oldest(engine: sa.Engine) -> datetime.datetime:
    with transactions.reading(engine) as conn:
        found = conn.scalar(sa.select(sa.func.min(
            tables.sample.c.timestamp)))
    assert isinstance(found, datetime.datetime)
    return found


def partitions(engine: sa.Engine) -> list[str]:
    """Of days before BORDER, with what is no partition any more."""
    question = {
        'postgresql': 'SELECT substr(relname, 8) FROM pg_class '
                      "WHERE relname LIKE 'sample\\_p%' AND relkind = 'r'",
        'mysql': 'SELECT partition_name FROM information_schema.partitions '
                 "WHERE table_schema = database() AND table_name = 'sample'",
        'sqlite': "SELECT 'none' WHERE 0"}[engine.dialect.name]
    with transactions.reading(engine) as conn:
        return [name for name in conn.scalars(sa.text(question))
                if name < f'p{BORDER:%Y%m%d}']


#: Questions that need samples of before any border.
NEEDS_SAMPLES = {
    'start': by(start=FIRST + datetime.timedelta(minutes=70)),
    'end': by(end=FIRST + datetime.timedelta(minutes=110)),
    'period': by(datetime.timedelta(minutes=30)),
    'origin': StatisticsQuestion(selection=Selection(), period=period.HOUR,
                                 origin=TODAY + period.MICROSECOND),
    'no origin': StatisticsQuestion(selection=Selection(start=(
        FIRST + datetime.timedelta(minutes=70))), period=period.DAY),
    'metadata': by(metadata=(MetadataRule(
        path='state', values=(('text', 'old'),)),)),
    'deviation': StatisticsQuestion(selection=Selection(), squares=True),
}
