# SPDX-License-Identifier: Apache-2.0
"""Sets of samples: what a made-up cloud's pollers said in 290 days.

Who said it is the truth generator's: instances with their ids, owners and
metadata, and some volumes. What they said is arithmetic, so that a database
makes tens of millions of samples as fast as it can store them. Nothing but
the shape of a set decides about it: any service may be given the same.
"""

from __future__ import annotations

import datetime
import hashlib
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from moc_meter.model import period
from moc_meter.model.sample import MeterKind, Sample
from moc_meter.storage.cache import Numbers
from moc_meter.storage.samples import cells, partitions, resources, series
from moc_meter.tests.perf.progress import say
from moc_meter.truth.world import World

SEED = 7
START = datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC)
#: What is asked about.
METER = 'memory.usage'
MONTH = (datetime.datetime(2025, 6, 1, tzinfo=datetime.UTC),
         datetime.datetime(2025, 7, 1, tzinfo=datetime.UTC))
_WORLD = 'instances=1024,days=290,step=600,projects=60,year=2025'
#: Volumes are multiples of 2**-9 and less than 2**13.
_FRACTION, _MODULUS = 512, 2 ** 22
_WORKERS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What decides about a set.

    instances: of each project; polled every ten minutes.
    volumes: of them all; each said once a day.
    """

    projects: int
    instances: int
    days: int = 290
    volumes: int = 120

    @property
    def samples(self) -> int:
        return self.days * (
            self.projects * self.instances * 144 + self.volumes)


#: The projects of the largest one are eight times as large.
SIZES: Mapping[str, Shape] = {
    '1M': Shape(projects=6, instances=4),
    '10M': Shape(projects=60, instances=4),
    '43M': Shape(projects=32, instances=32)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A series, and what it says.

    cadence: microseconds from one sample to the next.
    base, step: its first volume, and from that to the next; in 2**-9.
    """

    number: int
    meter: str
    unit: str
    resource_id: str
    project_id: str
    user_id: str
    metadata: Mapping[str, object]
    cadence: int
    base: int
    step: int

    def sample(self, at: int) -> Sample:
        """At an instant, in microseconds since 1970."""
        place = (at - period.microseconds(START)) // self.cadence
        return Sample(
            source=f'truth-{SEED}', timestamp=period.instant(at),
            message_id=_key(self.number, at).hex, meter=self.meter,
            kind=MeterKind.GAUGE, unit=self.unit,
            volume=Decimal((self.base + place * self.step) % _MODULUS)
            / _FRACTION, resource_id=self.resource_id,
            project_id=self.project_id, user_id=self.user_id,
            metadata=self.metadata)


def told(shape: Shape) -> list[Told]:
    """All series of a set."""
    world = World(SEED, _WORLD)
    projects = [project.id for project in world.facts.projects]
    lives = [course.life for course in world.population.courses()]
    instances = [life for life in lives if life.type == 'instance'
                 ][:shape.projects * shape.instances]
    volumes = [life for life in lives if life.type == 'volume'
               ][:shape.volumes]
    found = []
    for number, life in enumerate([*instances, *volumes]):
        is_polled = number < len(instances)
        holder = life.holders[-1]
        found.append(Told(
            number=number, resource_id=life.resource_id,
            meter=METER if is_polled else 'volume.size',
            unit='MiB' if is_polled else 'GiB',
            project_id=projects[number % shape.projects],
            user_id=holder.user_id, metadata=holder.metadata,
            cadence=(600 if is_polled else 86_400) * 10 ** 6,
            base=(number + 1) * 7919 * (1 if is_polled else _FRACTION)
            % _MODULUS, step=number % 89 + 5 if is_polled else 0))
    return found


def batches(shape: Shape) -> Iterator[tuple[datetime.datetime, list[Sample]]]:
    """The samples, a day at once and in order of time, and when they came."""
    every = told(shape)
    for day in _days(shape):
        begin, end = period.microseconds(day), period.microseconds(
            day + period.DAY)
        yield day + period.DAY, [
            one.sample(at) for at in range(begin, end, 600 * 10 ** 6)
            for one in every if not (at - begin) % one.cadence]


def load(engine: sa.Engine, shape: Shape) -> None:
    """Fill an empty store with what writing the batches() leaves there."""
    days = _days(shape)
    say(f'{shape.samples:,} samples: series and partitions')
    _number(engine, shape)
    partitions.Partitions(engine).ensure(day.date() for day in days)
    with engine.begin() as conn:
        for statement in _WITHOUT_INDEXES:
            conn.exec_driver_sql(statement)
    say('samples, their indexes, and rollups')
    with ThreadPoolExecutor(_WORKERS) as pool:
        # Marks are numbered in the order of days.
        for number, _ in enumerate(
                pool.map(lambda day: _load_day(engine, day), days), 1):
            if not number % 100:
                say(f'{number} of {len(days)} days')
    say('months, spans and marks')
    with engine.begin() as conn:
        months = cells.months
        conn.execute(sa.insert(months.table).from_select(
            months.table.columns.keys(), months.expected()))
        conn.exec_driver_sql(_SPANS)
        for day in days:
            conn.exec_driver_sql(
                _MARKS, {'day': period.microseconds(day),
                         'end': period.microseconds(day + period.DAY)})
        conn.exec_driver_sql('DROP TABLE told')
        for statement in _WITH_INDEXES:
            conn.exec_driver_sql(statement)
    say('visibility and statistics')
    with engine.connect() as conn:
        conn.execution_options(isolation_level='AUTOCOMMIT')
        conn.exec_driver_sql('VACUUM ANALYZE')


def _key(number: int, at: int) -> uuid.UUID:
    return uuid.UUID(hashlib.md5(f'{number}/{at}'.encode(),
                                 usedforsecurity=False).hexdigest())


def _days(shape: Shape) -> list[datetime.datetime]:
    return [START + day * period.DAY for day in range(shape.days)]


def _number(engine: sa.Engine, shape: Shape) -> None:
    """Series and metadata as the store numbers them; all in table told."""
    every = told(shape)
    first = [one.sample(period.microseconds(START)) for one in every]
    numbers = series.numbers(engine, Numbers(), first)
    metadata = resources.numbers(engine, Numbers(), first)
    with engine.begin() as conn:
        conn.execute(sa.schema.CreateTable(_TOLD))
        conn.execute(sa.insert(_TOLD), [
            {'number': one.number, 'series_id': number,
             'metadata_id': described, 'cadence': one.cadence,
             'base': one.base, 'step': one.step}
            for one, number, described in zip(every, numbers, metadata,
                                              strict=True)])


def _load_day(engine: sa.Engine, day: datetime.datetime) -> None:
    begin, end = (period.microseconds(bound)
                  for bound in (day, day + period.DAY))
    instant = cells.sample.c.timestamp
    with engine.begin() as conn:
        conn.exec_driver_sql(_SAMPLES, {
            'begin': begin, 'end': end,
            'start': period.microseconds(START)})
        for statement in _PACKED:
            conn.exec_driver_sql(statement.format(
                f'sample_p{day:%Y%m%d}'))
        for derived in (cells.hours, cells.days):
            chosen = derived.derived(cells.sample).where(
                instant >= begin, instant < end)
            conn.execute(sa.insert(derived.table).from_select(
                derived.table.columns.keys(), chosen))


_TOLD = sa.Table('told', sa.MetaData(), *(
    sa.Column(name, sa.BigInteger) for name in (
        'number', 'series_id', 'metadata_id', 'cadence', 'base', 'step')))
_SAMPLES = f"""
INSERT INTO sample (series_id, timestamp, key, volume, metadata_id,
                    recorded_at)
SELECT series_id, at, md5(number || '/' || at)::uuid,
       ((base + (at - %(start)s) / cadence * step) %% {_MODULUS})
       / {_FRACTION}.0, metadata_id,
       %(end)s + row_number() OVER (ORDER BY at, number) - 1
FROM told, generate_series(%(begin)s, %(end)s - 1, cadence) AS at
ORDER BY at, number"""
#: An index that is made of all rows at once is as partitions.pack() leaves
#: it, in a quarter of the time.
_KEY = '(series_id, timestamp, key) INCLUDE (volume)'
_FULL = 'WITH (fillfactor = 100)'
_WITHOUT_INDEXES = ('ALTER TABLE sample DROP CONSTRAINT pk_sample',
                    'DROP INDEX ix_sample_key')
_PACKED = (f'ALTER TABLE {{0}} ADD PRIMARY KEY {_KEY} {_FULL}',
           f'CREATE INDEX ON {{0}} (key) {_FULL}',
           "COMMENT ON TABLE {0} IS 'packed'")
_WITH_INDEXES = (
    f'ALTER TABLE sample ADD CONSTRAINT pk_sample PRIMARY KEY {_KEY}',
    'CREATE INDEX ix_sample_key ON sample (key)')
_SPANS = """
INSERT INTO span (series_id, metadata_id, first, last)
SELECT series_id, metadata_id, min(first), max(last)
FROM rollup_day JOIN told USING (series_id) GROUP BY series_id, metadata_id"""
_MARKS = """
INSERT INTO mark (source, resource_id, day)
SELECT DISTINCT source, resource_id, %(day)s::bigint FROM rollup_day
JOIN series ON series.id = series_id WHERE start = %(day)s
ORDER BY source, resource_id"""
