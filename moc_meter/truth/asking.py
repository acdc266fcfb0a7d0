# SPDX-License-Identifier: Apache-2.0
"""Questions by chance, from a seed.

Most rules say of a question what is true of one sample, so that it has an
answer; some say what is true of another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from moc_meter.truth import metadata
from moc_meter.truth.forms import SECOND, Sample
from moc_meter.truth.questions import Kind, Question, Rule
from moc_meter.truth.seed import Dice
from moc_meter.truth.summary import Summary
from moc_meter.truth.windows import Windows

Thing = TypeVar('Thing')

_KINDS = (*[Kind.STATISTICS] * 10, *[Kind.METER] * 2, *[Kind.SAMPLES] * 2,
          *[Kind.RESOURCES] * 2, Kind.METERS, Kind.METERS, Kind.SAMPLE,
          Kind.RESOURCE)
_GROUPS = ('user_id', 'project_id', 'resource_id', 'source',
           'metadata.instance_type', 'resource_metadata.instance_type')
_COUNTED = ('resource_id', 'user_id', 'project_id', 'source')
_FUNCTIONS = ('count', 'min', 'max', 'avg', 'sum', 'stddev', 'stddev')
_LIMITS = (None, None, 1, 2, 3, 7, 20, 100, 1000)
_PERIODS = (1, 7, 59, 600, 3599, 3600, 3601, 7200, 21600, 82800, 86399,
            86400, 86401, 90000, 172800, 604800, 2592000, 31536000)
#: Rows of a question's whole answer, about: periods times groups.
_MOST_ROWS = 5000


def random_questions(summary: Summary, seed: int, count: int
                     ) -> Iterator[Question]:
    """So many questions about the samples; the same of the same seed.

    Each names their source, as a store may hold others' samples too.
    """
    if not summary.count:
        return
    asker = _Asker(summary.again('questions', seed))
    for _ in range(count):
        yield asker.question()


class _Asker:
    def __init__(self, summary: Summary) -> None:
        self._of = summary
        self._dice: Dice = summary.dice
        self._windows = Windows(summary)

    def question(self) -> Question:
        sample = self._dice.one(self._of.kept)
        if self._dice.chance(4):
            sample = self._dice.one(list(self._of.meters.values()))
        kind = self._dice.one(_KINDS)
        match kind:
            case Kind.STATISTICS:
                return self._statistics(sample)
            case Kind.SAMPLE:
                return Question(kind=kind, name=self._id(sample.message_id))
            case Kind.RESOURCE:
                return Question(kind=kind, name=self._id(sample.resource_id))
        return self._list(kind, sample)

    def _id(self, known: str) -> str:
        return known + '-not-there' if self._dice.chance(8) else known

    def _list(self, kind: Kind, sample: Sample) -> Question:
        windows = () if kind == Kind.METERS else self._windows.rules()
        return Question(
            kind=kind, name=sample.meter if kind == Kind.METER else None,
            rules=self._shuffled((*self._rules(kind, sample), *windows)),
            limit=self._dice.one(_LIMITS),
            unique=kind == Kind.METERS and self._dice.chance(3),
            meter_links=self._dice.one((None, 0, 1))
            if kind == Kind.RESOURCES else None)

    def _statistics(self, sample: Sample) -> Question:
        windows = self._windows.rules()
        groups = self._some(_GROUPS, (0, 0, 0, 1, 1, 1, 2))
        return Question(
            kind=Kind.STATISTICS, name=self._meter(sample),
            rules=self._shuffled(
                (*self._rules(Kind.STATISTICS, sample), *windows)),
            period=self._period(groups), groupby=groups,
            aggregates=self._aggregates())

    def _meter(self, sample: Sample) -> str:
        return 'no.such.meter' if self._dice.chance(60) else sample.meter

    def _period(self, groups: Sequence[str]) -> int | None:
        if self._dice.chance(2):
            return self._dice.one((None, None, None, 0))
        shortest = 0        # there are no more rows than samples
        if self._of.count > _MOST_ROWS:
            many = len({tuple(getattr(sample, name, None) for name in groups)
                        for sample in self._of.kept})
            shortest = (self._of.last - self._of.first
                        ) // SECOND * many // _MOST_ROWS
        return self._dice.one([length for length in _PERIODS
                               if length > shortest] or _PERIODS[-1:])

    def _aggregates(self) -> tuple[tuple[str, str | None], ...]:
        if not self._dice.chance(3):
            return ()
        return (*(('cardinality', param) for param
                  in self._some(_COUNTED, (0, 1, 1, 2))),
                *((function, None) for function
                  in self._some(_FUNCTIONS, (1, 2, 3))))

    def _rules(self, kind: Kind, sample: Sample) -> Sequence[Rule]:
        """What must hold besides the time; the source always."""
        rules = [Rule('source', 'eq', self._of.source)]
        makers: list[Callable[[Sample], Rule | None]] = [
            self._project, self._user, self._resource, self._metadata]
        if kind in (Kind.SAMPLES, Kind.STATISTICS, Kind.METER):
            makers.append(self._by_meter)
        if kind in (Kind.SAMPLES, Kind.METER):
            makers.append(self._by_id)
        for maker in self._some(makers, (0, 0, 1, 1, 1, 2, 2, 3)):
            about = sample
            if self._dice.chance(12):
                about = self._dice.one(self._of.kept)
            if rule := maker(about):
                rules.append(rule)
        return rules

    def _project(self, sample: Sample) -> Rule:
        return Rule(self._dice.one(('project', 'project_id')), 'eq',
                    str(sample.project_id))

    def _user(self, sample: Sample) -> Rule:
        return Rule(self._dice.one(('user', 'user_id')), 'eq',
                    str(sample.user_id))

    def _resource(self, sample: Sample) -> Rule:
        return Rule(self._dice.one(('resource', 'resource_id')), 'eq',
                    sample.resource_id)

    def _by_meter(self, sample: Sample) -> Rule:
        return Rule('meter', 'eq', sample.meter)

    def _by_id(self, sample: Sample) -> Rule:
        return Rule('message_id', 'eq', sample.message_id)

    def _metadata(self, sample: Sample) -> Rule | None:
        found = list(metadata.scalars(sample.metadata))
        if not found:
            return None
        path, (kind, value) = self._dice.one(found)
        field = self._dice.one(('metadata.', 'resource_metadata.')) + path
        text = metadata.literal(value)
        types = {'bool': 'boolean', 'text': 'string',
                 'number': 'integer' if text.lstrip('-').isdecimal()
                 else 'float'}
        typed = self._dice.chance(2) and kind in types
        return Rule(field, 'eq', text, types[kind] if typed else '')

    def _some(self, things: Sequence[Thing], counts: Sequence[int]
              ) -> tuple[Thing, ...]:
        return tuple(dict.fromkeys(
            self._dice.some(things, self._dice.one(counts))))

    def _shuffled(self, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        return tuple(self._dice.shuffled(rules))
