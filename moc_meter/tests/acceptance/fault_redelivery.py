# SPDX-License-Identifier: Apache-2.0
"""Each sample three times, by two agents, to two collectors that race."""

from __future__ import annotations

import datetime
import itertools
import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from decimal import Decimal
from pathlib import Path

import sqlalchemy as sa

from moc_meter.messaging import amqp
from moc_meter.model.sample import MeterKind, Sample, derived_id
from moc_meter.publisher.bus import BusPublisher
from moc_meter.publisher.spool import Spool
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.acceptance.faults import (
    PATIENCE,
    Child,
    consumers,
    depth,
    until,
)
from moc_meter.tests.servers.rabbitmq import RabbitMQ
from moc_meter.tests.stores import count

TIMES = 3
MARCH = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
#: One to those who fold case, cut blanks, or compose accents; and what needs
#: four bytes.
ALIKE = ('vm', 'VM', 'vm ', ' vm', 'café', 'cafe\u0301', 'cafe',
         '\U0001f600', '\U0001f601', 'ß', 'ss')
_METERS = (('heat', MeterKind.CUMULATIVE, 'J'),
           ('Heat', MeterKind.CUMULATIVE, 'J'),
           ('heat ', MeterKind.GAUGE, 'J'),
           ('water.used', MeterKind.DELTA, 'm³'))
_PROJECTS = (None, 'p', 'P', 'p ', 'p\u0301', '\U00010400')
#: By meter: what comes back as it was said.
EXACT = {'tenth': [Decimal('0.1')] * 10, 'large': [Decimal(2 ** 53 + 1)],
         'small': [Decimal('0.000000001')]}


def said(choice: random.Random) -> list[Sample]:
    """2000 samples of four days, some at the borders of hours."""
    return [*_alike(choice, 2000), *_exact()]


def _alike(choice: random.Random, number: int) -> Iterator[Sample]:
    for place in range(number):
        meter, kind, unit = choice.choice(_METERS)
        yield Sample(
            source=choice.choice(['region-1', 'Region-1']),
            # Ours, and one that differs from others by what looks the same.
            message_id=(derived_id(str(place)) if place % 2 else
                        f'{choice.choice(ALIKE)}{place // 20}'),
            timestamp=MARCH + choice.choice([
                datetime.timedelta(hours=choice.randrange(96)),
                datetime.timedelta(microseconds=choice.randrange(
                    96 * 3600 * 10 ** 6))]),
            meter=meter, kind=kind, unit=unit, volume=_volume(choice),
            resource_id=choice.choice(ALIKE),
            project_id=choice.choice(_PROJECTS),
            user_id=choice.choice([None, '', 'u', 'U']),
            metadata={choice.choice(['name', 'Name']): choice.choice(ALIKE),
                      'size': choice.choice([1, 1.5, True, None])})


def _volume(choice: random.Random) -> Decimal:
    """Of either sign, with up to 29 digits."""
    digits = choice.randrange(10 ** choice.randint(1, 29))
    return Decimal(f'{choice.choice("- ")}{digits}E-9'.strip())


def _exact() -> Iterator[Sample]:
    for meter, volumes in EXACT.items():
        for place, volume in enumerate(volumes):
            yield Sample(
                source='region-1', message_id=derived_id(meter, str(place)),
                timestamp=MARCH + place * datetime.timedelta(hours=7),
                meter=meter, kind=MeterKind.DELTA, unit='B', volume=volume,
                resource_id='r')


def deliver(samples: Sequence[Sample], choice: random.Random,
            broker: RabbitMQ, engine: sa.Engine, folder: Path) -> None:
    """Return when everything that was sent has been stored, or is known.

    In any order and batching; a batch may hold a sample twice. SQLite has
    one collector, for it is made for one process.
    """
    url, folder = broker.create_vhost(), folder / engine.dialect.name
    amqp.connect(url=url).receiver().check()
    deliveries = list(samples) * TIMES
    choice.shuffle(deliveries)
    with ExitStack() as stack:
        agents = [stack.enter_context(closing(BusPublisher(
            Spool(folder / f'spool-{number}', 10 ** 9),
            amqp.connect(url=url).sender()))) for number in range(2)]
        collectors = [stack.enter_context(Child(
            'collector', engine.url.render_as_string(hide_password=False),
            url)) for _ in range(1 if engine.dialect.name == 'sqlite' else 2)]
        until(lambda: consumers(url) == len(collectors), PATIENCE,
              'all to race')
        for batch in _cut(deliveries, choice):
            choice.choice(agents).publish(batch)
        until(lambda: all(agent.counts.sent == agent.counts.made
                          for agent in agents)
              and count(engine, tables.sample)
              + count(engine, tables.quarantine) >= len(samples)
              and depth(broker, url) == 0, PATIENCE, 'everything to be stored')
        for collector in collectors:
            collector.finish()
        assert depth(broker, url) == 0


def _cut(deliveries: Sequence[Sample], choice: random.Random
         ) -> Iterator[tuple[Sample, ...]]:
    rest = iter(deliveries)
    while batch := tuple(itertools.islice(rest, choice.randint(1, 250))):
        yield batch
