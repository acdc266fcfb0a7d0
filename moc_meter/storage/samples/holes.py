# SPDX-License-Identifier: Apache-2.0
"""Questions that would need samples that retention has dropped.

They are refused, naming the nearest borders that can be asked for, and never
answered with a hole. Asked after the answer was read: what is dropped
meanwhile lies below the border by then.
"""

from __future__ import annotations

import sqlalchemy as sa

from moc_meter import errors
from moc_meter.model import period
from moc_meter.model.query import Selection, StatisticsQuestion
from moc_meter.storage.samples import dropped, plan, select
from moc_meter.storage.samples.cells import hours, sample, spans
from moc_meter.storage.samples.plan import Level, Part
from moc_meter.storage.tables import samples as tables


def in_statistics(conn: sa.Connection, question: StatisticsQuestion) -> None:
    """Raise InvalidQuery where an hour would have to be cut that is dropped.

    question: with its origin, see statistics.dated(). One that needs no raw
        samples need not be asked about.
    """
    border = dropped.border(conn)
    for part in plan.parts(question):
        if (part.level is Level.RAW and (part.start or 0) < border
                and _has_samples(conn, question.selection, part, border)):
            raise _refusal(part, border, plan.levels(question))


def in_spans(conn: sa.Connection, selection: Selection) -> None:
    """Raise InvalidQuery where a span would have to be cut that is dropped.

    A start needs the first sample after it, an end the last before it; a
    selection without both need not be asked about.
    """
    border = dropped.border(conn)
    start, end = plan.bounds(selection)
    of = spans.table.c
    kept = sa.exists().where(
        sample.c.series_id == of.series_id,
        sample.c.metadata_id == of.metadata_id,
        *select.within(sample.c.timestamp, border, end)).correlate(spans.table)
    for bound, unknown in ((start, sa.literal(value=start) < border),
                           (end, ~kept)):
        if border and bound is not None and conn.scalar(sa.select(
                sa.exists().where(
                    tables.series.c.id == of.series_id,
                    *select.series_rules(selection),
                    *select.metadata_rules(conn, of.metadata_id, selection),
                    of.first < bound, of.first < border, of.last >= bound,
                    unknown))):
            raise errors.InvalidQuery(
                'a bound of time lies where samples have been dropped; '
                'leave it out, or ask from where they are kept',
                bound=_text(bound), kept_from=_text(border))


def _has_samples(conn: sa.Connection, selection: Selection, part: Part,
                 border: int) -> bool:
    """Whether dropped samples may lie in a part, as far as hours know."""
    of = hours.table.c
    end = border if part.end is None else min(part.end, border)
    start = part.start
    bounds = [] if start is None else [
        of.start >= start // Level.HOUR * Level.HOUR, of.last >= start]
    return bool(conn.scalar(sa.select(sa.exists().where(
        of.series_id.in_(select.series_ids(conn, selection)), of.count > 0,
        of.start < end, of.first < end, *bounds))))


def _refusal(part: Part, border: int,
             levels: list[Level]) -> errors.InvalidQuery:
    if levels == [Level.RAW] or part.start is None or part.end is None:
        return errors.InvalidQuery(
            'this needs every single sample, and those before an instant '
            'have been dropped; ask from there on, or by whole UTC hours '
            'without metadata and deviation', kept_from=_text(border))
    nearest = [bound // Level.HOUR * Level.HOUR
               for bound in (part.start, part.end + Level.HOUR - 1)]
    return errors.InvalidQuery(
        'a bound of time cuts an hour whose samples have been dropped; ask '
        'by whole UTC hours there, or from where samples are kept',
        start=_text(part.start), end=_text(part.end),
        nearest=[_text(bound) for bound in nearest], kept_from=_text(border))


def _text(instant: int) -> str:
    return period.instant(instant).isoformat()
