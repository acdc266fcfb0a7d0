# SPDX-License-Identifier: Apache-2.0
"""The query string: which parameters a resource takes, and their values."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import webob.multidict

from moc_meter import errors
from moc_meter.api.v2 import literal, refusals, timestamp

_TRUE = frozenset(('1', 't', 'true', 'on', 'y', 'yes'))
#: Items of one answer; a list that is longer goes on behind its link.
MOST = 100_000

#: All values of one key, in their order.
Values = Callable[[str], list[str]]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing that may be asked; ``name`` is the controller's argument."""

    name: str
    keys: tuple[str, ...]           # of the query string
    read: Callable[[Values], Any]   # what it says; raises InvalidQuery


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a simple query, as it was sent."""

    field: str
    op: str
    value: str
    type: str | None

    def __repr__(self) -> str:
        kind = 'Unset' if self.type is None else self.type
        return f'<Query {self.field!r} {self.op} {self.value!r} {kind}>'


def read(params: webob.multidict.MultiDict,
         parameters: Sequence[Parameter]) -> dict[str, Any]:
    """The values of all parameters by name; unknown keys are refused."""
    known = {key for parameter in parameters for key in parameter.keys}
    if unknown := sorted(set(params) - known):
        raise refusals.unknown(', '.join(unknown))
    return {parameter.name: parameter.read(params.getall)
            for parameter in parameters}


def integer(name: str) -> Parameter:
    """A decimal integer; None where it is not given."""

    def read_integer(values: Values) -> int | None:
        text = single(name, values)
        if text is None:
            return None
        try:
            return literal.whole(text)
        except ValueError:      # or more digits than Python converts
            raise refusals.invalid(
                name, text, 'unable to convert to int. Error: not a decimal '
                            'integer') from None

    return Parameter(name, (name,), read_integer)


def boolean(name: str) -> Parameter:
    """True for the words that say so; false for everything else."""

    def read_boolean(values: Values) -> bool:
        return (single(name, values) or '').strip().lower() in _TRUE

    return Parameter(name, (name,), read_boolean)


def instant(name: str) -> Parameter:
    """An instant; None where it is not given."""

    def read_instant(values: Values) -> datetime.datetime | None:
        text = single(name, values)
        try:
            return None if text is None else timestamp.parse(text)
        except ValueError as fault:
            raise refusals.invalid(name, text, str(fault)) from None

    return Parameter(name, (name,), read_instant)


def text(name: str) -> Parameter:
    """A text; None where it is not given."""
    return Parameter(name, (name,), lambda values: single(name, values))


def texts(name: str) -> Parameter:
    """A parameter that may be given several times; duplicates collapse."""
    return Parameter(name, (name,),
                     lambda values: tuple(dict.fromkeys(values(name))))


def bounded(limit: int | None, default: int) -> int:
    """How many items to answer at most; a limit must be positive."""
    if limit is None:
        return default
    if limit <= 0:
        raise errors.InvalidQuery('Limit must be positive')
    return min(limit, MOST)


def single(name: str, values: Values) -> str | None:
    """The one value; None where it is not given."""
    found = values(name)
    if len(found) > 1:
        raise refusals.invalid(name, found, 'unable to convert to int or '
                                            'bool: it is given several times')
    return found[0] if found else None


def _rules(values: Values) -> tuple[Rule, ...]:
    fields, given = values('q.field'), values('q.value')
    for name, found in (('field', fields), ('value', given)):
        if len(found) < max(len(fields), len(given)):
            raise refusals.missing(name)
    if '' in fields:
        raise refusals.missing('field')
    ops, types = (_beside(key, values(key), len(fields))
                  for key in ('q.op', 'q.type'))
    return tuple(Rule(field, op or 'eq', value, kind)
                 for field, op, value, kind
                 in zip(fields, ops, given, types, strict=True))


def _beside(key: str, found: list[str],
            rules: int) -> Sequence[str | None]:
    """The key's values, one a rule.

    Rules are paired by position; were some left out, those that follow would
    slip to another rule.
    """
    if not found:
        return (None,) * rules
    if not rules:
        raise refusals.missing('field')
    if len(found) != rules:
        raise refusals.invalid(
            key, found, f'It must be given for each of the {rules} rules, if '
                        'need be empty, or for none.')
    return found


def _aggregates(values: Values) -> tuple[tuple[str, str | None], ...]:
    """Functions, each with the parameter at its position, if any."""
    functions = values('aggregate.func')
    params: list[str | None] = list(values('aggregate.param'))
    functions += [''] * (len(params) - len(functions))
    params += [None] * (len(functions) - len(params))
    return tuple(dict.fromkeys(
        (function, param or None)
        for function, param in zip(functions, params, strict=True)))


RULES = Parameter('q', ('q.field', 'q.op', 'q.value', 'q.type'), _rules)
LIMIT = integer('limit')
AGGREGATES = Parameter('aggregate', ('aggregate.func', 'aggregate.param'),
                       _aggregates)
