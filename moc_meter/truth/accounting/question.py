# SPDX-License-Identifier: Apache-2.0
"""Questions about usage: '/truth/usage/vcpus?by=project_id&period=day'."""

from __future__ import annotations

import urllib.parse
import zoneinfo
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from moc_meter.truth import instants
from moc_meter.truth.accounting.allocation import BASES
from moc_meter.truth.accounting.periods import PERIODS, borders
from moc_meter.truth.forms import (
    Facts,
    Instant,
    Life,
    Meter,
    Missing,
    Sample,
)

_SUBJECTS = ('usage', 'existence', 'active', 'missing')
_BY = ('project_id', 'user_id', 'resource_id', 'type', 'institution')
_BY_MISSING = ('meter', 'resource_id', 'project_id')
_SEVERAL = ('by', 'meter')
_METADATA = 'metadata.'

_Given = Mapping[str, Sequence[str]]


class Cloud(Protocol):
    """What is asked about; a World is one."""

    start: Instant
    end: Instant                # as far as it was computed: the cut-off
    zone: str                   # where its accounting days begin

    @property
    def facts(self) -> Facts:
        """What holds of the cloud as a whole."""

    def lives(self) -> Iterator[Life]:
        """Of every resource."""

    def samples(self) -> Iterator[Sample]:
        """All that arrives, once each, in order of time."""

    def missing(self) -> Iterator[Missing]:
        """All that should be there and is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of a cloud."""

    subject: str                # usage, existence, active, missing
    meter: Meter | None         # of usage
    meters: frozenset[str]      # that missing is confined to; none: all
    start: Instant
    end: Instant
    by: tuple[str, ...]
    period: str | None
    zone: str
    basis: str

    def borders(self) -> list[Instant]:
        """Where its rows begin and end."""
        if not self.period:
            return [self.start, self.end]
        inner = borders(self.period, self.zone, self.start, self.end)
        return [self.start, *(one for one in inner
                              if self.start < one < self.end), self.end]


def parse(cloud: Cloud, text: str) -> Question:
    """The question of a text; a window left out is the cloud's own.

    Raises ValueError, which names the field, what was given, and what is
    allowed.
    """
    parts = urllib.parse.urlsplit(text)
    subject, meter = _path(cloud, parts.path)
    given = _given(parts.query, subject)
    start = _instant('start', given, cloud.start)
    end = _instant('end', given, cloud.end)
    if start >= end:
        raise ValueError(
            f'start must lie before end: start={instants.show(start)!r}, '
            f'end={instants.show(end)!r}')
    for name in given.get('by', ()):
        _check_by(subject, name)
    for name in given.get('meter', ()):
        _choice('meter', name, sorted(cloud.facts.meters))
    return Question(
        subject=subject, meter=meter, start=start, end=end,
        meters=frozenset(given.get('meter', ())),
        by=tuple(given.get('by', ())), zone=_zone(given, cloud.zone),
        period=_one_of(given, 'period', PERIODS),
        basis=_one_of(given, 'basis', BASES) or BASES[0])


def _path(cloud: Cloud, path: str) -> tuple[str, Meter | None]:
    match [urllib.parse.unquote(part) for part in path.split('/')]:
        case ['', 'truth', 'usage', meter]:
            _choice('meter', meter, sorted(cloud.facts.meters))
            return 'usage', cloud.facts.meters[meter]
        case ['', 'truth', subject] if subject in _SUBJECTS[1:]:
            return subject, None
    raise ValueError(f'no such path: path={path!r}, allowed=/truth/usage/'
                     f'METER, /truth/existence, /truth/active, /truth/missing')


def _given(query: str, subject: str) -> _Given:
    """Every parameter with what was given for it."""
    allowed = ['start', 'end', 'by', 'period', 'zone']
    allowed += ['meter'] if subject == 'missing' else ['basis']
    given: dict[str, list[str]] = {}
    for name, value in urllib.parse.parse_qsl(query, keep_blank_values=True):
        _choice('parameter', name, allowed)
        values = given.setdefault(name, [])
        if value in values or (values and name not in _SEVERAL):
            raise ValueError(f'given twice: {name}={values[-1]!r} and '
                             f'{name}={value!r}, allowed=once')
        values.append(value)
    return given


def _check_by(subject: str, name: str) -> None:
    if subject == 'missing':
        _choice('by', name, _BY_MISSING)
    elif name not in _BY and (
            name == _METADATA or not name.startswith(_METADATA)):
        _refuse('by', name, (*_BY, 'metadata.PATH'))


def _one_of(given: _Given, field: str, allowed: Sequence[str]) -> str | None:
    for value in given.get(field, ()):
        _choice(field, value, allowed)
        return value
    return None


def _choice(field: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        _refuse(field, value, allowed)


def _refuse(field: str, value: str, allowed: Sequence[str]) -> None:
    raise ValueError(f'no such {field}: {field}={value!r}, '
                     f'allowed={", ".join(allowed)}')


def _instant(field: str, given: _Given, otherwise: Instant) -> Instant:
    for text in given.get(field, ()):
        try:
            return instants.parse(text)
        except (ValueError, OverflowError):
            raise ValueError(
                f'not an ISO 8601 instant: {field}={text!r}, allowed='
                f'2026-03-01, 2026-03-01T12:00:00.000001Z, '
                f'2026-03-01T12:00%2B01:00') from None
    return otherwise


def _zone(given: _Given, otherwise: str) -> str:
    [name] = given.get('zone', [otherwise])
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f'no such zone: zone={name!r}, allowed=names such '
                         f'as UTC and Europe/Berlin') from None
    return name
