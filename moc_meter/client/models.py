# SPDX-License-Identifier: Apache-2.0
"""What a service answers, field by field: exact numbers, aware instants.

The names are those of the API. What an answer has beyond them is left out, so
that a newer service can be asked, too.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

_T = TypeVar('_T')

Instant = datetime.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A reference to another resource of the API."""

    rel: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """A meter of a resource; with ``unique``, of all resources."""

    name: str
    type: str                   # gauge, delta, cumulative
    unit: str
    resource_id: str | None
    project_id: str | None
    user_id: str | None
    source: str | None
    meter_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterName:
    """A meter, whatever the resource."""

    name: str
    type: str
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value of one meter of one resource at one instant."""

    id: str
    meter: str
    type: str                   # gauge, delta, cumulative
    unit: str
    volume: Decimal
    user_id: str | None
    project_id: str | None
    resource_id: str
    source: str
    timestamp: Instant
    recorded_at: Instant | None = None  # unknown of one that was just posted
    metadata: Mapping[str, str]         # text by path: 'disk.kind'


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Something that was measured, as its newest sample describes it."""

    resource_id: str
    project_id: str | None
    user_id: str | None
    first_sample_timestamp: Instant
    last_sample_timestamp: Instant
    metadata: Mapping[str, str]
    links: tuple[Link, ...]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceState:
    """What was said of a resource, in [valid_from, valid_until)."""

    resource_id: str
    project_id: str | None
    user_id: str | None
    source: str
    metadata: Mapping[str, str]
    valid_from: Instant
    valid_until: Instant | None     # None: it is said still


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """What the samples of one unit, group and period amount to."""

    unit: str
    groupby: Mapping[str, str | None] | None = None
    min: Decimal | None = None      # these five are None with aggregates
    max: Decimal | None = None
    avg: Decimal | None = None
    sum: Decimal | None = None
    count: int | None = None
    aggregate: Mapping[str, Decimal] | None = None  # 'max' or 'func/param'
    duration: Decimal | None        # seconds from first to last sample
    duration_start: Instant | None
    duration_end: Instant | None
    period: int                     # seconds; 0: one row for all
    period_start: Instant
    period_end: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """One thing that an event says; ``value`` as the service writes it."""

    name: str
    type: str                       # string, integer, float, datetime
    value: str

    @property
    def typed(self) -> str | int | Decimal | Instant:
        """The value as what it is."""
        match self.type:
            case 'integer':
                return int(self.value)
            case 'float':
                return Decimal(self.value)
            case 'datetime':
                return _instant(self.value)
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class TraitDescription:
    """What events of a type say."""

    name: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened."""

    message_id: str
    event_type: str
    generated: Instant
    traits: tuple[Trait, ...]
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one sample of a batch."""

    message_id: str | None
    status: str             # stored, duplicate, conflict, expired, refused
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A figure of the volumes of so many samples in [start, end)."""

    volume: Decimal | None
    unit: str | None
    count: int
    start: Instant | None
    end: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """For how long resources were seen, in seconds."""

    duration: Decimal
    start: Instant | None
    end: Instant | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a service can do: flags by what they are about."""

    api: Mapping[str, bool]
    storage: Mapping[str, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version of the API."""

    id: str
    status: str
    updated: Instant


def read(kind: type[_T], said: object) -> _T:
    """What a JSON object says. Raises KeyError, TypeError or ValueError."""
    if not isinstance(said, dict):
        raise TypeError(f'{kind.__name__} is no object')
    made: dict[str, Any] = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        if field.name in said:
            value = said[field.name]
            made[field.name] = _READ.get(field.name, _as_it_is)(value)
        elif field.default is dataclasses.MISSING:
            raise KeyError(field.name)
    return kind(**made)


#: Where the old form of a sample has what the new one has.
_OLD = {'id': 'message_id', 'meter': 'counter_name', 'type': 'counter_type',
        'unit': 'counter_unit', 'volume': 'counter_volume',
        'metadata': 'resource_metadata'}


def read_old(said: Mapping[str, Any]) -> Sample:
    """A sample in the form of /v2/meters/{name}."""
    return read(Sample, {**said, **{new: said[old]
                                    for new, old in _OLD.items()}})


def _as_it_is(value: Any) -> Any:
    return value


def _instant(said: str) -> Instant:
    found = Instant.fromisoformat(said)
    return (found.astimezone(datetime.UTC) if found.tzinfo
            else found.replace(tzinfo=datetime.UTC))


def _instant_or_none(said: str | None) -> Instant | None:
    return None if said is None else _instant(said)


def _number(said: Decimal | int | None) -> Decimal | None:
    return None if said is None else Decimal(said)


_READ: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(
        ('timestamp', 'recorded_at', 'first_sample_timestamp',
         'last_sample_timestamp', 'valid_from', 'valid_until',
         'duration_start', 'duration_end', 'period_start', 'period_end',
         'generated', 'start', 'end', 'updated'), _instant_or_none),
    **dict.fromkeys(
        ('volume', 'min', 'max', 'avg', 'sum', 'duration'), _number),
    'aggregate': lambda said: said and {
        name: Decimal(figure) for name, figure in said.items()},
    'links': lambda said: tuple(read(Link, one) for one in said),
    'traits': lambda said: tuple(read(Trait, one) for one in said)}
