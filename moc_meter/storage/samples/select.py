# SPDX-License-Identifier: Apache-2.0
"""Which series, metadata and samples a selection means, as SQL.

The caller's row scope is part of every condition on series.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from moc_meter.model.query import Selection
from moc_meter.model.sample import is_ours, key_of
from moc_meter.storage import dialect
from moc_meter.storage.samples import resources
from moc_meter.storage.samples.cells import sample, spans
from moc_meter.storage.tables import samples as tables

Conditions = list[sa.ColumnElement[bool]]
#: What IN takes.
Ids = sa.Select[int] | Sequence[int]


def series_rules(selection: Selection) -> Conditions:
    """What a row of the table series must fulfil."""
    of = tables.series.c
    rules = [of[field.value].is_(None) if value is None
             else of[field.value] == value
             for field, value in selection.series]
    if selection.projects is not None:
        rules.append(of.project_id.in_(sorted(selection.projects)))
    return rules


def metadata_rules(conn: sa.Connection, column: sa.ColumnElement[int],
                   selection: Selection) -> Conditions:
    """What the number of a metadata must fulfil, wherever it stands."""
    at = tables.metadata_path.c
    return [column.in_(dialect.ids(
                conn, sa.select(at.metadata_id).distinct().where(at.digest.in_(
                    [resources.path_digest(rule.path, kind, value)
                     for kind, value in rule.values]))))
            for rule in selection.metadata]


def message_rules(selection: Selection) -> Conditions:
    """What a sample must fulfil to have all the message ids asked for."""
    of = sample.c
    rules: Conditions = []
    for message_id in selection.message_ids:
        rules += [of.key == key_of(message_id),
                  of.message_id.is_(None) if is_ours(message_id)
                  else of.message_id == message_id]
    return rules


def series_ids(conn: sa.Connection, selection: Selection,
               rules: Sequence[sa.ColumnElement[bool]] = ()) -> Ids:
    """The series that can have a selected sample; rules: further ones."""
    of, span = tables.series.c, spans.table.c
    found = sa.select(of.id).where(*series_rules(selection), *rules)
    if selection.metadata:
        found = found.where(of.id.in_(sa.select(span.series_id).where(
            *metadata_rules(conn, span.metadata_id, selection))))
    return dialect.ids(conn, found)


def joined_series(series_id: sa.ColumnElement[int], selection: Selection,
                  ids: Ids) -> Conditions:
    """What a row must fulfil that is joined with its series."""
    if isinstance(ids, sa.Select) and not selection.metadata:
        return series_rules(selection)      # and no need to join it twice
    return [series_id.in_(ids)]


def within(instant: sa.ColumnElement[int], start: int | None,
           end: int | None) -> Conditions:
    """The instant is in [start, end), as far as there are bounds.

    All are whole microseconds since 1970.
    """
    return ([] if start is None else [instant >= start]) + (
        [] if end is None else [instant < end])
