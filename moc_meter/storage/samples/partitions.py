# SPDX-License-Identifier: Apache-2.0
"""The partitions of raw samples: one a UTC day; SQLite has none.

PostgreSQL's oldest takes everything before 2010, and days are made as they
are needed: ahead by a job, and before the batch for late samples. There is
no default partition, which would forbid to detach others without blocking.
MariaDB adds partitions at the end only; its first one takes everything before
the day of the migration. Admission lets nothing in from further ahead than
minutes, which bounds how many there are.
"""

from __future__ import annotations

import contextlib
import datetime
import re
import threading
from collections.abc import Iterable, Iterator

import sqlalchemy as sa

from moc_meter import errors
from moc_meter.model import period
from moc_meter.storage import dialect
from moc_meter.storage import engine as transactions
from moc_meter.storage.samples import dropped

#: Where PostgreSQL's days begin.
_OLDEST = datetime.datetime(2010, 1, 1, tzinfo=datetime.UTC)
_NAME = re.compile(r'sample_p(\d{8})')
#: Who makes partitions holds this lock, so that two do not make the same.
_LOCK = 0x6d6f635f6d657465
#: Who packs or drops them holds this one: two who pack the same end each
#: other as a deadlock, and one that is being packed cannot be dropped.
_PACKING_OR_DROPPING = _LOCK + 1
_IN_THE_WAY = 'another process packs or drops partitions'


def begin(conn: sa.Connection) -> None:
    """Give the new, empty table its first partition (migration)."""
    today = period.floor(datetime.datetime.now(datetime.UTC), period.DAY)
    statement = dialect.choose(
        conn, sqlite=None,
        postgresql='CREATE TABLE sample_old PARTITION OF sample FOR VALUES '
                   f'FROM (MINVALUE) TO ({period.microseconds(_OLDEST)})',
        mariadb='ALTER TABLE sample PARTITION BY RANGE (timestamp) '
                f'({_mariadb_partition(today - period.DAY)})')
    if statement:
        conn.exec_driver_sql(statement)


class Partitions:
    """The days that can be written, as far as this process knows."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._made: set[datetime.date] = set()

    def ensure(self, days: Iterable[datetime.date]) -> None:
        """Make the partitions of the UTC days that have none.

        In a transaction of its own, before the batch's: making one waits for
        those who write, and they must not have to wait for the whole batch.
        """
        missing = sorted(set(days) - self._made)
        if missing:
            make = dialect.choose(self._engine, sqlite=_make_none,
                                  postgresql=_make_postgresql,
                                  mariadb=_make_mariadb)
            begins = [datetime.datetime.combine(
                day, datetime.time(), datetime.UTC) for day in missing]
            transactions.transact(self._engine,
                                  lambda conn: make(conn, begins))
            self._made.update(missing)


def ahead(engine: sa.Engine, today: datetime.datetime, days: int) -> None:
    """Make the partitions of today and so many days after it."""
    first = today.date()
    Partitions(engine).ensure(first + place * period.DAY
                              for place in range(days + 1))


def pack(engine: sa.Engine, today: datetime.datetime) -> list[str]:
    """Rebuild the indexes of days that are over (PostgreSQL).

    Filled in the order of ticks an index is 1.7 times as large as needed.
    Nobody has to wait for it. Each partition is packed once, and none where
    another process packs or drops them.
    Returns the names of the partitions that were packed.
    """
    if dialect.choose(engine, sqlite=True, mariadb=True, postgresql=False):
        return []
    with _alone(engine) as conn:
        return list(_pack(conn, f'{today:%Y%m%d}')) if conn else []


@contextlib.contextmanager
def _alone(engine: sa.Engine) -> Iterator[sa.Connection | None]:
    """No other packs or drops (PostgreSQL); None where one does.

    The lock ends with its connection, and so does what it was held for.
    """
    with transactions.statements(engine) as conn:
        held = conn.scalar(sa.text('SELECT pg_try_advisory_lock(:lock)'),
                           {'lock': _PACKING_OR_DROPPING})
        try:
            yield conn if held else None
        finally:
            conn.invalidate()


def _pack(conn: sa.Connection, today: str) -> Iterator[str]:
    unpacked = [name for name, said in _children(conn) if said is None]
    for name in unpacked:
        day = _NAME.fullmatch(name)
        if day and day[1] < today:
            for index in conn.scalars(_INDEXES, {'name': name}).all():
                # Hardly anything is to come.
                conn.exec_driver_sql(
                    f'ALTER INDEX {index} SET (fillfactor = 100)')
            conn.exec_driver_sql(f'REINDEX TABLE CONCURRENTLY {name}')
            conn.exec_driver_sql(f"COMMENT ON TABLE {name} IS 'packed'")
            yield name


_INDEXES = sa.text('SELECT indexrelid::regclass::text FROM pg_index '
                   'WHERE indrelid = CAST(:name AS regclass)')


def lock(conn: sa.Connection) -> None:
    """Nobody makes partitions before this transaction ends (PostgreSQL).

    MariaDB makes none of the past.
    """
    if dialect.choose(conn, sqlite=False, postgresql=True, mariadb=False):
        conn.execute(sa.text('SELECT pg_advisory_xact_lock(:lock)'),
                     {'lock': _LOCK})


def drop(engine: sa.Engine, until: datetime.datetime,
         stop: threading.Event) -> bool:
    """Drop the partitions of the days before ``until``.

    May be done again, and finishes what was interrupted, be it by ``stop``.
    Returns whether samples before ``until`` may be left in another one.
    """
    drop = dialect.choose(engine, sqlite=_drop_none, mariadb=_drop_mariadb,
                          postgresql=_drop_postgresql)
    return drop(engine, until, stop)


def _children(conn: sa.Connection) -> list[tuple[str, str | None]]:
    """Names and comments of PostgreSQL's partitions."""
    return [(name, said) for name, said in conn.execute(sa.text(
        "SELECT relname, obj_description(oid, 'pg_class') FROM pg_class "
        'JOIN pg_inherits ON oid = inhrelid '
        "WHERE inhparent = 'sample'::regclass ORDER BY relname"))]


def _make_none(_conn: sa.Connection, _days: list[datetime.datetime]) -> None:
    """SQLite's table is one."""


def _make_postgresql(conn: sa.Connection,
                     days: list[datetime.datetime]) -> None:
    lock(conn)
    there = {name: (attached, pending)
             for name, attached, pending in conn.execute(_DAYS)}
    # Days that were dropped stay so; their samples are too old.
    oldest = max(_OLDEST, period.instant(dropped.border(conn)))
    for day in days:
        name = f'sample_p{day:%Y%m%d}'
        attached, pending = there.get(name, (False, False))
        if day >= oldest and (pending or not attached):
            if name in there:
                _remove(conn, name, pending)
            # PARTITION OF would wait for every reader of all the samples,
            # and have every writer wait behind it.
            conn.exec_driver_sql(
                f'CREATE TABLE {name} (LIKE sample INCLUDING ALL)')
            conn.exec_driver_sql(
                f'ALTER TABLE sample ATTACH PARTITION {name} FOR VALUES '
                f'FROM ({period.microseconds(day)}) '
                f'TO ({period.microseconds(day + period.DAY)})')


def _make_mariadb(conn: sa.Connection,
                  days: list[datetime.datetime]) -> None:
    # ALTER TABLE commits, hence a lock of the session and not of a row.
    lock = sa.literal(_LOCK).label('lock')
    name = sa.func.concat(sa.func.database(), ':', lock)
    if conn.scalar(sa.select(sa.func.get_lock(name, 60))) != 1:
        raise errors.StoreUnavailable('another makes partitions')
    try:
        day = period.instant(max(_mariadb_ends(conn).values()))
        wanted = []
        while day <= days[-1]:
            wanted.append(_mariadb_partition(day))
            day += period.DAY
        if wanted:
            # It waits for every reader, and every writer waits behind it: a
            # short while, and then again (see engine.py).
            conn.exec_driver_sql(
                'SET STATEMENT lock_wait_timeout = 2 FOR '
                f'ALTER TABLE sample ADD PARTITION ({", ".join(wanted)})')
    finally:
        conn.execute(sa.select(sa.func.release_lock(name)))


def _mariadb_ends(conn: sa.Connection) -> dict[str, int]:
    """Where each partition ends, by its name."""
    return {name: int(end) for name, end in conn.execute(sa.text(
        'SELECT partition_name, CAST(partition_description AS SIGNED) '
        'FROM information_schema.partitions '
        "WHERE table_schema = database() AND table_name = 'sample'"))}


def _drop_none(_engine: sa.Engine, _until: datetime.datetime,
               _stop: threading.Event) -> bool:
    """SQLite's table is one."""
    return True


def _drop_postgresql(engine: sa.Engine, until: datetime.datetime,
                     stop: threading.Event) -> bool:
    """Nobody has to wait: each is detached while others read and write.

    Detaching waits for those who might see the partition still. Ended in the
    middle, it leaves one that is to be detached, or one that is nobody's.
    """
    with _alone(engine) as conn:
        if not conn:
            raise errors.StoreUnavailable(_IN_THE_WAY)
        for name, attached, pending in conn.execute(_DAYS).all():
            if stop.is_set() or name >= f'sample_p{until:%Y%m%d}':
                break
            if attached and not pending:
                conn.exec_driver_sql('ALTER TABLE sample DETACH PARTITION '
                                     f'{name} CONCURRENTLY')
            _finish(conn, name, pending)
        return bool(conn.scalar(sa.text(
            'SELECT EXISTS (SELECT FROM sample_old)')))


def _remove(conn: sa.Connection, name: str, pending: bool) -> None:
    """Remove what an interrupted drop has left before a reset.

    Not while another one drops: it would take the new day for the old one.
    """
    if not conn.scalar(sa.text('SELECT pg_try_advisory_xact_lock(:lock)'),
                       {'lock': _PACKING_OR_DROPPING}):
        raise errors.StoreUnavailable(_IN_THE_WAY)
    _finish(conn, name, pending)


def _finish(conn: sa.Connection, name: str, pending: bool) -> None:
    """Drop a table that is no partition, or is about to be none."""
    if pending:
        conn.exec_driver_sql(
            f'ALTER TABLE sample DETACH PARTITION {name} FINALIZE')
    conn.exec_driver_sql(f'DROP TABLE {name}')


#: PostgreSQL's tables of days, whether they are partitions, and whether they
#: are about to be none.
_DAYS = sa.text(
    'SELECT relname, inhrelid IS NOT NULL, coalesce(inhdetachpending, false) '
    'FROM pg_class '
    "LEFT JOIN pg_inherits ON inhrelid = oid WHERE relkind = 'r' "
    "AND relname ~ '^sample_p[0-9]{8}$' AND relnamespace = (SELECT "
    "relnamespace FROM pg_class WHERE oid = 'sample'::regclass) "
    'ORDER BY relname')


def _drop_mariadb(engine: sa.Engine, until: datetime.datetime,
                  _stop: threading.Event) -> bool:
    """All at once; others wait for it, though not for long.

    The next partition takes over what was before it. The last one cannot be
    dropped, so there must be a later one.
    """
    border = period.microseconds(until)
    with transactions.statements(engine) as conn:
        ends = _mariadb_ends(conn)
        over = [name for name, end in sorted(ends.items()) if end <= border]
        if len(over) == len(ends):
            _make_mariadb(conn, [until])
        if over:
            conn.exec_driver_sql('ALTER TABLE sample WAIT 5 DROP PARTITION '
                                 f'IF EXISTS {", ".join(over)}')
    return border not in ends.values()


def _mariadb_partition(day: datetime.datetime) -> str:
    return (f'PARTITION p{day:%Y%m%d} VALUES LESS THAN '
            f'({period.microseconds(day + period.DAY)})')
