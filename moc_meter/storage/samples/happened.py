# SPDX-License-Identifier: Apache-2.0
"""Events, oldest first, and which types and traits of them there are.

What is read follows the page, not the history: for each project that the
caller may see, a page is a stretch of one index in the order of time. It is
that of a trait's values where a rule says that one is equal; else that of the
events, of one type or of all.
"""

from __future__ import annotations

import collections
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from moc_meter.model import period
from moc_meter.model.events import COMPARISONS, EventSelection, TraitRule
from moc_meter.model.expression import Op
from moc_meter.model.query import RetentionLevel, StoredSample
from moc_meter.model.sample import MeterKind, Sample, is_ours, key_of
from moc_meter.model.traits import TraitType, read
from moc_meter.storage import dialect, numbering
from moc_meter.storage.samples import dropped, select
from moc_meter.storage.samples.events import event, form, trait
from moc_meter.storage.samples.select import Conditions
from moc_meter.storage.samples.series import parts
from moc_meter.storage.staging import Row
from moc_meter.storage.tables import samples as tables

_KEYS = ('series_id', 'timestamp', 'key')
#: Its id, which the key spells where it is one of ours.
_message: sa.ColumnElement[str] = sa.func.coalesce(
    event.c.message_id, dialect.hexadecimal(event.c.key))
_series = tables.series
#: Where an event stands: its instant, its message id, its series' number.
_Place = tuple[int, str, int]
_Placed = tuple[_Place, StoredSample]


def listed(conn: sa.Connection, selection: EventSelection, limit: int,
           after: StoredSample | None = None) -> list[StoredSample]:
    """See SampleStore.events()."""
    border = dropped.border(conn, RetentionLevel.EVENTS)
    place = None if after is None else _place(conn, after)
    scopes: list[Callable[[sa.FromClause], Conditions]] = [lambda _: []]
    if selection.projects is not None:
        scopes = [lambda table, project=project: [  # type: ignore[misc]
            table.c.project_id == project]
            for project in selection.projects]
    found: list[_Placed] = []
    for scope in scopes:
        stretch = _stretch(selection, scope)
        stretch.rules.extend(select.within(stretch.instant, border, None))
        if place is not None:
            stretch.rules.extend(_beyond(stretch.instant, place))
        found += _page(conn, stretch, limit)
    return [stored for _, stored in sorted(
        found, key=lambda one: one[0])[:limit]]


def types(conn: sa.Connection) -> list[str]:
    """See SampleStore.event_types()."""
    return list(conn.scalars(
        sa.select(form.c.event_type).where(form.c.name == '', _recent(conn))
        .order_by(form.c.event_type)))


def trait_types(conn: sa.Connection,
                event_type: str) -> list[tuple[str, TraitType]]:
    """See SampleStore.trait_types()."""
    found = (sa.select(form.c.name, form.c.type)
             .where(form.c.event_type == event_type, form.c.name != '',
                    _recent(conn)).order_by(form.c.name, form.c.type))
    return [(row.name, TraitType(row.type)) for row in conn.execute(found)]


def _recent(conn: sa.Connection) -> sa.ColumnElement[bool]:
    """Whether not all the events of a form are dropped."""
    return form.c.day >= dropped.border(conn, RetentionLevel.EVENTS)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Events that are selected, and where their instants are in order."""

    source: sa.FromClause
    instant: sa.ColumnElement[int]
    rules: Conditions


def _stretch(selection: EventSelection,
             scope: Callable[[sa.FromClause], Conditions]) -> _Stretch:
    rules = list(selection.traits)
    found = _Stretch(event, event.c.timestamp, scope(event))
    equal = next((rule for rule in rules if rule.op is Op.EQ), None)
    if equal and selection.projects is not None and not selection.message_id:
        rules.remove(equal)
        found = _Stretch(trait.join(event, _same(trait)), trait.c.timestamp,
                         [*scope(trait), *_fits(trait, equal)])
    for rule in rules:
        at = trait.alias()
        found.rules.append(sa.exists().where(_same(at), *_fits(at, rule)))
    if selection.event_type is not None:
        found.rules.append(event.c.event_type == selection.event_type)
    if selection.message_id is not None:
        found.rules.extend((
            event.c.key == key_of(selection.message_id),
            event.c.message_id.is_(None) if is_ours(selection.message_id)
            else event.c.message_id == selection.message_id))
    found.rules.extend(select.within(found.instant, *(
        None if bound is None else period.microseconds(bound)
        for bound in (selection.start, selection.end))))
    return found


def _same(at: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether a trait is the event's."""
    return sa.and_(*(at.c[key] == event.c[key] for key in _KEYS))


def _fits(at: sa.FromClause, rule: TraitRule) -> Conditions:
    return [at.c.name == rule.than.name, at.c.type == rule.than.type.value,
            COMPARISONS[rule.op](at.c.value, rule.than.ordered)]


def _place(conn: sa.Connection, one: StoredSample) -> _Place:
    said = one.sample
    digest = numbering.digest(parts(said))
    known = numbering.known(conn, _series, [digest])
    return (period.microseconds(said.timestamp), said.message_id,
            known.get(digest, 0))


def _beyond(instant: sa.ColumnElement[int], place: _Place) -> Conditions:
    """What an event must fulfil that comes after a place."""
    timestamp, message_id, series_id = place
    return [instant >= timestamp, sa.or_(
        instant > timestamp, _message > message_id,
        sa.and_(_message == message_id, event.c.series_id > series_id))]


def _page(conn: sa.Connection, stretch: _Stretch,
          limit: int) -> list[_Placed]:
    """The first events of a stretch, with their traits.

    First the instant up to which they reach is found: only as many are then
    sorted, for no index has them by their ids.
    """
    instant, rules = stretch.instant, stretch.rules
    last = conn.scalar(
        sa.select(instant).select_from(stretch.source).where(*rules)
        .order_by(instant).limit(1).offset(limit - 1))
    said_of = [event.c[key] for key in (*_KEYS, 'recorded_at')] + [
        column for column in _series.columns
        if column.name not in ('id', 'digest')]
    page: sa.Select[Any] = (
        sa.select(*said_of, _message.label('said_id'))
        .select_from(stretch.source.join(
            _series, _series.c.id == event.c.series_id))
        .where(*rules, *select.within(
            instant, None, None if last is None else last + 1))
        .order_by(instant, _message, event.c.series_id).limit(limit))
    wanted = page.subquery('page')
    said: dict[Row, dict[str, object]] = collections.defaultdict(dict)
    for row in conn.execute(sa.select(trait).join(wanted, sa.and_(*(
            trait.c[key] == wanted.c[key] for key in _KEYS)))):
        said[row[:3]][row.name] = read(
            row.name, TraitType(row.type), row.value).spelled
    return [((row.timestamp, row.said_id, row.series_id),
             _stored(row, said[row[:3]])) for row in conn.execute(page)]


def _stored(row: sa.Row[Any], said: dict[str, object]) -> StoredSample:
    return StoredSample(
        recorded_at=period.instant(row.recorded_at),
        sample=Sample(
            source=row.source, is_event=True, volume=Decimal(1),
            message_id=row.said_id, timestamp=period.instant(row.timestamp),
            meter=row.meter, kind=MeterKind(row.kind), unit=row.unit,
            metadata=said, resource_id=row.resource_id,
            project_id=row.project_id, user_id=row.user_id))
