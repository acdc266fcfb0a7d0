# SPDX-License-Identifier: Apache-2.0
"""Which samples a question means: its scope, and what narrows that."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from moc_meter.api.context import Caller
from moc_meter.api.v2 import arguments
from moc_meter.api.v2.arguments import Parameter, Values
from moc_meter.model import metadata
from moc_meter.model.query import Field, Selection

#: Scopes by their part of a path, and what a parameter narrows them by.
SCOPES: Mapping[str, Field] = {
    'users': Field.USER, 'projects': Field.PROJECT, 'sources': Field.SOURCE,
    'resources': Field.RESOURCE}
_FIELDS: Mapping[str, Field] = {
    'user': Field.USER, 'project': Field.PROJECT, 'source': Field.SOURCE,
    'resource': Field.RESOURCE}
_START, _END = arguments.instant('start'), arguments.instant('end')


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """What parameters say; [start, end), None is unbounded."""

    start: datetime.datetime | None
    end: datetime.datetime | None
    series: tuple[tuple[Field, str], ...]


def _read(values: Values) -> Narrowing:
    given = {field: arguments.single(name, values)
             for name, field in _FIELDS.items()}
    return Narrowing(
        start=_START.read(values), end=_END.read(values),
        series=tuple((field, value) for field, value in given.items()
                     if value is not None))


NARROWED = Parameter('narrowed', ('start', 'end', *_FIELDS), _read)


def selection(narrowed: Narrowing, caller: Caller, scope: Sequence[str] = (),
              meter: str | None = None) -> Selection:
    """The samples that are meant, of those that the caller may see.

    scope: a key of SCOPES and an id; or nothing.
    Raises NotAuthorized where a project is named that may not be seen.
    """
    series = [*narrowed.series]
    if scope:
        series.insert(0, (SCOPES[scope[0]], scope[1]))
    if meter is not None:
        series.append((Field.METER, meter))
    for field, value in series:
        metadata.check_text(field.value, value)
        if field is Field.PROJECT:
            caller.check_named(value)
    return Selection(series=tuple(series), start=narrowed.start,
                     end=narrowed.end, projects=caller.visible_projects())
