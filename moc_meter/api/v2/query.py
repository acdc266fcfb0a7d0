# SPDX-License-Identifier: Apache-2.0
"""From the rules of a simple query to a selection of samples."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from moc_meter.api.context import Caller
from moc_meter.api.v2 import literal, refusals, timestamp
from moc_meter.api.v2.arguments import Rule
from moc_meter.model import metadata, period
from moc_meter.model.query import Field, MetadataRule, Selection

#: Fields that the collections know, besides those of metadata.
METERS = frozenset(('user', 'project', 'resource', 'source'))
RESOURCES = METERS | {'timestamp', 'search_offset'}
SAMPLES = RESOURCES | {'meter', 'message_id'}

_ALIASES = {'user_id': 'user', 'project_id': 'project',
            'resource_id': 'resource'}
_SERIES = {'user': Field.USER, 'project': Field.PROJECT,
           'resource': Field.RESOURCE, 'source': Field.SOURCE,
           'meter': Field.METER}
_TIMES = ('timestamp', 'search_offset')
_METADATA = re.compile(r'(?:resource_)?metadata\.(?P<path>.*)', re.DOTALL)
_LOWER, _UPPER = ('ge', 'gt'), ('lt', 'le')
_FIRST = datetime.datetime.min.replace(tzinfo=datetime.UTC)
_LAST = datetime.datetime.max.replace(tzinfo=datetime.UTC)
_ALL_MINUTES = 10_000 * 366 * 24 * 60       # of the calendar, and more


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a simple query selects.

    start, end: the bounds as they were given, without the search offset;
        what the selection has of them is half open and widened.
    """

    selection: Selection
    start: datetime.datetime | None
    end: datetime.datetime | None


def asked(rules: Sequence[Rule], fields: frozenset[str], caller: Caller,
          meter: str | None = None) -> Asked:
    """What the rules select, all of them together, for this caller.

    fields: those that the collection knows.
    meter: the meter of the path; a rule on the meter narrows it further.
    Raises InvalidQuery where a rule is wrong, NotAuthorized where one names
    a project that the caller may not see.
    """
    for rule in rules:
        _check(rule, rules, fields)
    series = list(_series(rules, caller))
    if meter is not None:
        metadata.check_text('meter', meter)
        series.insert(0, (Field.METER, meter))
    ids = {rule.value for rule in rules if rule.field == 'message_id'}
    lower, upper = _bound(rules, _LOWER), _bound(rules, _UPPER)
    start, end = _widened(rules, lower, upper)
    if len(ids) > 1:        # no sample has two
        start = end = period.EPOCH
    return Asked(
        selection=Selection(
            series=tuple(series), message_ids=tuple(ids),
            metadata=tuple(_metadata(rules)), start=start, end=end,
            projects=caller.visible_projects()),
        start=lower.given if lower else None,
        end=upper.given if upper else None)


def _check(rule: Rule, rules: Sequence[Rule], fields: frozenset[str]) -> None:
    name = _ALIASES.get(rule.field, rule.field)
    if name in _TIMES and name not in fields:
        raise refusals.unknown(name, 'not valid for this resource')
    if name not in fields and not _METADATA.fullmatch(name):
        raise refusals.unknown(
            name, f'unrecognized field in query: {list(rules)}, '
                  f'valid keys: {sorted(fields)}')
    legal = (*_LOWER, *_UPPER) if name == 'timestamp' else ('eq',)
    if rule.op not in legal:
        raise refusals.invalid(
            'op', rule.op, f'unimplemented operator for {rule.field}')
    literal.check_type(rule.type)
    for text in (rule.field, rule.value):
        metadata.check_text('q', text)


def _series(rules: Sequence[Rule], caller: Caller
            ) -> Iterator[tuple[Field, str | None]]:
    for rule in rules:
        field = _SERIES.get(_ALIASES.get(rule.field, rule.field))
        if field is None:
            continue
        none = rule.value == 'None' and field in (Field.USER, Field.PROJECT)
        if field == Field.PROJECT:
            caller.check_named(rule.value)
        yield field, None if none else rule.value


def _metadata(rules: Sequence[Rule]) -> Iterator[MetadataRule]:
    for rule in rules:
        if found := _METADATA.fullmatch(rule.field):
            yield MetadataRule(
                path=found['path'],
                values=literal.alternatives(rule.value, rule.type))


@dataclass(frozen=True, slots=True, order=True)
class _Bound:
    exact: datetime.datetime    # of [start, end)
    given: datetime.datetime


def _bound(rules: Sequence[Rule], ops: Sequence[str]) -> _Bound | None:
    """The narrowest bound of one side; None where there is none."""
    found = [_one_bound(rule) for rule in rules
             if rule.field == 'timestamp' and rule.op in ops]
    if not found:
        return None
    return max(found) if ops == _LOWER else min(found)


def _one_bound(rule: Rule) -> _Bound:
    """Instants are whole microseconds: after t is from t plus one on."""
    try:
        given = timestamp.parse(rule.value)
    except ValueError as fault:
        raise refusals.invalid('timestamp', rule.value, str(fault)) from None
    if rule.op in ('gt', 'le'):
        return _Bound(shifted(given, period.MICROSECOND), given)
    return _Bound(given, given)


def _widened(rules: Sequence[Rule], lower: _Bound | None, upper: _Bound | None
             ) -> tuple[datetime.datetime | None, datetime.datetime | None]:
    start = lower.exact if lower else None
    end = upper.exact if upper else None
    for rule in rules:
        if rule.field != 'search_offset':
            continue
        if start is end is None:
            raise refusals.invalid(
                'field', rule.field,
                'search_offset cannot be used without timestamp')
        offset = _minutes(rule.value)
        start, end = (start and shifted(start, -offset),
                      end and shifted(end, offset))
    return start, end


def _minutes(value: str) -> datetime.timedelta:
    if not re.fullmatch(r'\d{1,18}', value, re.ASCII):
        raise refusals.invalid('search_offset', value,
                               'unable to convert to int: it must be a '
                               'number of minutes')
    return datetime.timedelta(minutes=min(int(value), _ALL_MINUTES))


def shifted(instant: datetime.datetime,
            by: datetime.timedelta) -> datetime.datetime:
    """The instant moved; where the calendar ends, its last one."""
    try:
        return instant + by
    except OverflowError:
        return _LAST if by > datetime.timedelta(0) else _FIRST
