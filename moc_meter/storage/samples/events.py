# SPDX-License-Identifier: Apache-2.0
"""Writing events and their typed traits: each once, however often it comes.

An event has a series, as a sample has, but neither rollups nor a span; so no
question about samples meets it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from moc_meter.model import period
from moc_meter.model.query import RetentionLevel
from moc_meter.model.sample import Sample, kept_id
from moc_meter.model.traits import project, traits
from moc_meter.storage import numbering, staging
from moc_meter.storage.samples import dropped, raw
from moc_meter.storage.staging import Row
from moc_meter.storage.tables import samples as tables

EVENTS = raw.keep(staging.plain(tables.event),
                  staging.plain(tables.event, 'event_staging'))
event = EVENTS.table
trait = staging.plain(tables.event_trait)
form = staging.plain(tables.event_form)


def row(one: Sample, series_id: int, recorded: int) -> Row:
    """The event as a row; recorded: in microseconds since 1970."""
    key, other_id = kept_id(one.message_id)
    return (series_id, period.microseconds(one.timestamp), key, recorded,
            other_id, numbering.digest(one.metadata), project(one.metadata),
            one.meter)


def append(conn: sa.Connection,
           batch: Sequence[tuple[Sample, Row]]) -> raw.Appended:
    """Insert the events that are missing and not too old, with their traits.
    """
    if not batch:
        return raw.Appended(fresh=frozenset(), conflicts=frozenset(),
                            expired=frozenset())
    appended = raw.append(conn, [row for _, row in batch], EVENTS,
                          dropped.border(conn, RetentionLevel.EVENTS))
    fresh = [(one, row) for one, row in batch
             if EVENTS.recorded(row) in appended.fresh]
    staging.load(conn, trait, sorted(
        ((*row[:3], said.name, said.type.value, said.ordered,
          project(one.metadata))
         for one, row in fresh for said in traits(one.metadata)),
        key=lambda row: row[:4]))
    _note(conn, (one for one, _ in fresh))
    return appended


def _note(conn: sa.Connection, events: Iterable[Sample]) -> None:
    """Know of the forms that events have; nearly always they are known."""
    days: dict[tuple[str, str, str], int] = {}
    for one in events:
        day = period.microseconds(period.floor(one.timestamp, period.DAY))
        for name, kind in [('', ''), *((said.name, said.type.value)
                                       for said in traits(one.metadata))]:
            key = one.meter, name, kind
            days[key] = max(day, days.get(key, day))
    keys = ('event_type', 'name', 'type')
    known = {row[:3]: row.day for row in conn.execute(
        sa.select(*(form.c[key] for key in keys), form.c.day).where(
            form.c.event_type.in_({key[0] for key in days})))}
    news = [(*key, day) for key, day in sorted(days.items())
            if known.get(key, day - 1) < day]
    if not news:
        return
    numbering.insert(conn, form, [
        dict(zip((*keys, 'day'), new, strict=True)) for new in news])
    # Who came in between may have known of an earlier day only.
    conn.execute(
        sa.update(form).values(day=sa.bindparam('new_day')).where(
            *(form.c[key] == sa.bindparam(f'of_{key}') for key in keys),
            form.c.day < sa.bindparam('new_day')),
        [dict(zip(('of_event_type', 'of_name', 'of_type', 'new_day'), new,
                  strict=True)) for new in news])


def count(conn: sa.Connection, until: int) -> int:
    """How many events there are before an instant."""
    return int(conn.scalar(sa.select(sa.func.count()).select_from(
        event).where(event.c.timestamp < until)) or 0)


def delete(conn: sa.Connection, until: int, limit: int) -> int | None:
    """Delete the oldest before an instant, with their traits: about so many.

    Returns how many they were, or None where there was none.
    """
    of = event.c
    oldest = conn.execute(
        sa.select(of.series_id, of.timestamp).where(of.timestamp < until)
        .order_by(of.timestamp).limit(limit)).all()
    if not oldest:
        conn.execute(sa.delete(form).where(form.c.day < until))
        return None
    # The traits are found by the key that begins with the series.
    series, last = sorted({row.series_id for row in oldest}), oldest[-1][1]
    return [conn.execute(sa.delete(table).where(
        table.c.series_id.in_(series), table.c.timestamp <= last)).rowcount
        for table in (trait, event)][-1]
