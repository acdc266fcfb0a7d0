# SPDX-License-Identifier: Apache-2.0
"""Which samples a question means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from moc_meter.truth import instants, metadata
from moc_meter.truth.forms import SECOND, Instant, Sample
from moc_meter.truth.metadata import Scalar
from moc_meter.truth.questions import Kind, Question, Rule

#: Where a sample has what a rule names; by the field's names.
_PLACE = {name: Sample._fields.index(field) for name, field in (
    ('source', 'source'), ('message_id', 'message_id'), ('meter', 'meter'),
    ('resource', 'resource_id'), ('resource_id', 'resource_id'),
    ('project', 'project_id'), ('project_id', 'project_id'),
    ('user', 'user_id'), ('user_id', 'user_id'))}
_NONE = ('project', 'project_id', 'user', 'user_id')
_PREFIXES = ('metadata.', 'resource_metadata.')

METER, RESOURCE, PROJECT, USER, MESSAGE_ID = (
    _PLACE[name] for name in ('meter', 'resource', 'project', 'user',
                              'message_id'))
#: By which of its places a sample is looked up, the most telling first.
INDEXED = (MESSAGE_ID, RESOURCE, METER, USER, PROJECT)


@dataclass(frozen=True, slots=True)
class MetadataRule:
    """A sample's own metadata has one of the values at the path."""

    path: str
    values: frozenset[Scalar]

    def holds(self, sample: Sample) -> bool:
        return any(metadata.scalar(value) in self.values for value
                   in metadata.at(sample.metadata, self.path))


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Samples of [start, end) for which every rule holds.

    equal: places of a sample and what must stand there.
    lower, upper: the bounds as they were given, which the range of the
        samples may be wider than; None is unbounded.
    """

    equal: tuple[tuple[int, str | None], ...] = ()
    metadata: tuple[MetadataRule, ...] = ()
    start: Instant = instants.FIRST
    end: Instant = instants.LAST + 1
    lower: Instant | None = None
    upper: Instant | None = None

    def has(self, sample: Sample) -> bool:
        """Whether it is one of them."""
        if not self.start <= sample.timestamp < self.end:
            return False
        for place, wanted in self.equal:
            if sample[place] != wanted:
                return False
        return all(rule.holds(sample) for rule in self.metadata)

    @property
    def key(self) -> tuple[int, object] | None:
        """A place, and what all of them have there; the most telling one."""
        wanted = dict(self.equal)
        return next(((place, wanted[place]) for place in INDEXED
                     if place in wanted), None)


def of(question: Question) -> Selection:
    """What the question's path and rules select.

    Raises ValueError where the API would refuse them.
    """
    equal = list(_equal(question.rules))
    match question.kind:
        case Kind.METER | Kind.STATISTICS:
            equal.insert(0, (METER, question.name))
        case Kind.RESOURCE:
            equal.insert(0, (RESOURCE, question.name))
        case Kind.SAMPLE:
            equal.insert(0, (MESSAGE_ID, question.name))
    lower = max(_bounds(question.rules, 'ge', 'gt'), default=None)
    upper = min(_bounds(question.rules, 'lt', 'le'), default=None)
    offset = _offset(question.rules, bool(lower or upper))
    return Selection(
        equal=tuple(equal), metadata=tuple(_metadata(question.rules)),
        start=lower[0] - offset if lower else instants.FIRST,
        end=upper[0] + offset if upper else instants.LAST + 1,
        lower=lower[1] if lower else None, upper=upper[1] if upper else None)


def _equal(rules: Sequence[Rule]) -> Iterator[tuple[int, str | None]]:
    for rule in rules:
        if rule.field in _PLACE:
            none = rule.value == 'None' and rule.field in _NONE
            yield _PLACE[rule.field], None if none else rule.value
        elif (rule.field not in ('timestamp', 'search_offset')
              and not rule.field.startswith(_PREFIXES)):
            raise ValueError(f'no such field: {rule.field}')
        if (rule.op == 'eq') == (rule.field == 'timestamp'):
            raise ValueError(f'{rule.field} has no {rule.op}')


def _metadata(rules: Sequence[Rule]) -> Iterator[MetadataRule]:
    for rule in rules:
        if rule.field.startswith(_PREFIXES):
            yield MetadataRule(
                path_of(rule.field),
                metadata.alternatives(rule.value, rule.type))


def path_of(field: str) -> str:
    """'metadata.a.b' and 'resource_metadata.a.b' are 'a.b'."""
    return field.partition('metadata.')[2]


def _bounds(rules: Sequence[Rule], closed: str, other: str
            ) -> Iterator[tuple[Instant, Instant]]:
    """Bounds of one side: of [start, end), and as they were given.

    Instants are whole microseconds: after t is from t plus one on.
    """
    for rule in rules:
        if rule.field == 'timestamp' and rule.op in (closed, other):
            given = instants.parse(rule.value)
            yield given + (rule.op in ('gt', 'le')), given


def _offset(rules: Sequence[Rule], bounded: bool) -> int:
    """By how many microseconds the range is widened on both sides."""
    offsets = [int(rule.value) for rule in rules
               if rule.field == 'search_offset']
    if offsets and not bounded:
        raise ValueError('a search_offset is of no use without a timestamp')
    return sum(offsets) * 60 * SECOND
