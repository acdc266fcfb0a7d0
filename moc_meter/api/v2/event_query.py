# SPDX-License-Identifier: Apache-2.0
"""From the rules of a simple query to a selection of events."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from moc_meter import errors
from moc_meter.api.context import Caller
from moc_meter.api.v2 import literal, query, refusals, timestamp
from moc_meter.api.v2.arguments import Rule
from moc_meter.model import metadata, period, traits
from moc_meter.model.events import EventSelection, TraitRule
from moc_meter.model.expression import Op
from moc_meter.model.traits import Trait, TraitType

_START, _END = 'start_timestamp', 'end_timestamp'
#: What is no trait's name, and the operators that it knows.
_FIELDS: Mapping[str, Sequence[str]] = {
    'event_type': ('eq',), 'message_id': ('eq',), _START: ('ge',),
    _END: ('le', 'lt')}
_OPS = {op.name.lower(): op for op in (Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT,
                                       Op.GE)}


def asked(rules: Sequence[Rule], caller: Caller) -> EventSelection:
    """What the rules select, all of them together, for this caller.

    Raises InvalidQuery where a rule is wrong, Forbidden where the caller has
    no user or no project.
    """
    projects, own = _scope(caller)
    for rule in rules:
        _check(rule)
    kinds, ids = (_values(rules, field)
                  for field in ('event_type', 'message_id'))
    starts = [_bound(rule) for rule in rules if rule.field == _START]
    ends = [_bound(rule) for rule in rules if rule.field == _END]
    if len(kinds) > 1 or len(ids) > 1:      # no event has two
        starts = ends = [period.EPOCH]
    return EventSelection(
        event_type=next(iter(kinds), None), message_id=next(iter(ids), None),
        traits=(*_traits(rules), *own), projects=projects,
        start=max(starts, default=None), end=min(ends, default=None))


def _scope(caller: Caller) -> tuple[frozenset[str | None],
                                    Sequence[TraitRule]]:
    """The projects whose events the caller sees, and whose of them."""
    if caller.project_id is None or caller.user_id is None:
        raise errors.Forbidden('a user and a project are needed to see events')
    if caller.admin:
        return frozenset((caller.project_id, None)), ()
    return frozenset((caller.project_id,)), (TraitRule(op=Op.EQ, than=Trait(
        name=traits.USER, type=TraitType.STRING, value=caller.user_id)),)


def _check(rule: Rule) -> None:
    if rule.op not in _FIELDS.get(rule.field, _OPS):
        raise refusals.invalid(
            'op', rule.op, f'unimplemented operator for {rule.field}')
    for text in (rule.field, rule.value):
        metadata.check_text('q', text)


def _values(rules: Sequence[Rule], field: str) -> set[str]:
    return {rule.value for rule in rules if rule.field == field}


def _bound(rule: Rule) -> Any:
    """Of [start, end); instants are whole microseconds."""
    try:
        given = timestamp.parse(rule.value)
    except ValueError as fault:
        raise refusals.invalid(rule.field, rule.value, str(fault)) from None
    return (query.shifted(given, period.MICROSECOND) if rule.op == 'le'
            else given)


def _traits(rules: Sequence[Rule]) -> Iterator[TraitRule]:
    for rule in rules:
        if rule.field not in _FIELDS:
            yield TraitRule(op=_OPS[rule.op], than=_trait(rule))


def _trait(rule: Rule) -> Trait:
    """What a trait is compared with; without a type that is a text."""
    name = rule.type or TraitType.STRING
    if name not in tuple(TraitType):
        raise errors.InvalidQuery(
            f'The data type {name} is not supported. The supported data type '
            f'list is: {[kind.value for kind in _READ]}')
    kind = TraitType(name)
    try:
        return Trait(name=rule.field, type=kind,
                     value=_READ[kind](rule.value))
    except ValueError:
        raise errors.InvalidQuery(
            f'Unable to convert the value {rule.value} to the expected data '
            f'type {name}.') from None


def _integer(text: str) -> int:
    """One that a trait can be: of 64 bits."""
    number = literal.whole(text)
    if not -2 ** 63 <= number < 2 ** 63:
        raise ValueError('beyond every trait')
    return number


_READ: Mapping[TraitType, Callable[[str], object]] = {
    TraitType.INTEGER: _integer, TraitType.FLOAT: literal.finite,
    TraitType.STRING: str, TraitType.DATETIME: timestamp.parse}
