# SPDX-License-Identifier: Apache-2.0
"""What a question is narrowed by: rules on fields, all of which must hold.

``parse('project=p1;timestamp>=2026-03-01')`` reads them as Ceilometer's
client writes them; ``Filter('volume', '>', 3)`` makes one.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from moc_meter import errors

#: Operators as they are typed, and as the API names them.
OPERATORS = {'=': 'eq', '==': 'eq', '!=': 'ne', '<': 'lt', '<=': 'le',
             '>': 'gt', '>=': 'ge'}
TYPES = ('integer', 'float', 'string', 'boolean', 'datetime')

Value = str | int | Decimal | datetime.datetime

_RULE = re.compile(
    r'(?P<field>[^=!<>]+)(?P<op>==|!=|<=|>=|=|<|>)(?P<value>.*)', re.DOTALL)
_TYPED = re.compile(rf'({"|".join(TYPES)})::(.*)', re.DOTALL)
_BETWEEN = re.compile(r'(?<!\\);')
_METADATA = ('metadata.', 'resource_metadata.')


@dataclass(frozen=True, slots=True)
class Filter:
    """One rule: ``Filter('timestamp', '>=', an_instant)``.

    field: as the API names it: 'project', 'metadata.size', a trait.
    op: of OPERATORS.
    value: an instant is aware.
    type: of TYPES; where it is not said, the value of metadata tells it, and
        of text the service guesses.
    """

    field: str
    op: str
    value: Value
    type: str | None = None

    def __post_init__(self) -> None:
        if self.op not in OPERATORS:
            raise errors.InvalidQuery('no such operator', op=self.op,
                                      allowed=tuple(OPERATORS))
        if self.type is not None and self.type not in TYPES:
            raise errors.InvalidQuery('no such type', type=self.type,
                                      allowed=TYPES)
        if not self.field:
            raise errors.InvalidQuery('a rule has no field', op=self.op,
                                      value=self.value)

    def query(self) -> list[tuple[str, str]]:
        """The rule in the query string."""
        return [('q.field', self.field), ('q.op', OPERATORS[self.op]),
                ('q.value', text(self.value)),
                ('q.type', self.type or self._told() or '')]

    def _told(self) -> str | None:
        """What the value of metadata is, where it is not text."""
        if not self.field.startswith(_METADATA):
            return None
        match self.value:
            case bool():
                return 'boolean'
            case int():
                return 'integer'
            case Decimal():
                return 'float'
            case datetime.datetime():
                return 'datetime'
        return None


Filters = str | Iterable[Filter]


def parse(said: str) -> list[Filter]:
    r"""Rules in the syntax of ``ceilometer -q``.

    said: 'FIELD OP VALUE', parted by ';'; a type may stand before the value:
        'metadata.size=integer::8'. A ';' of a value is written as '\;'.
        Blanks around the field and around what follows the operator are none
        of theirs. Empty rules are left out.
    Raises InvalidQuery, which names the rule.
    """
    return [_rule(part.replace(r'\;', ';'))
            for part in _BETWEEN.split(said) if part.strip()]


def rules(filters: Filters) -> Sequence[Filter]:
    """Filters in either form."""
    return parse(filters) if isinstance(filters, str) else [*filters]


def text(value: Value) -> str:
    """A value as the API reads it."""
    match value:
        case datetime.datetime():
            return instant(value)
        case Decimal():
            return format(value, 'f')
    return str(value)


def instant(given: datetime.datetime) -> str:
    """An instant in UTC; InvalidQuery where nobody knows which it is."""
    if given.tzinfo is None:
        raise errors.InvalidQuery(
            'an instant must say its zone, such as datetime.UTC',
            instant=given)
    return given.astimezone(datetime.UTC).isoformat().replace('+00:00', 'Z')


def _rule(said: str) -> Filter:
    found = _RULE.fullmatch(said)
    if found is None or not found['field'].strip():
        raise errors.InvalidQuery(
            'a rule is FIELD, an operator, and VALUE, as in project=p1',
            rule=said, operators=tuple(OPERATORS))
    value = found['value'].strip()
    typed = _TYPED.fullmatch(value)
    kind, value = typed.groups() if typed else (None, value)
    return Filter(found['field'].strip(), found['op'], value, kind)
