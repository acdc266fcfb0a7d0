# SPDX-License-Identifier: Apache-2.0
"""What a service may do wrongly, and how it would answer then.

The fault that gives the very answer which a service gave is what most likely
happened.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from moc_meter.truth import counters, instants, selection
from moc_meter.truth.forms import SECOND, Sample
from moc_meter.truth.questions import (
    DEFAULT_LIMIT,
    Kind,
    Question,
    Rule,
)
from moc_meter.truth.selection import Selection

_HOUR = 3600 * SECOND
#: Samples of a question that are taken away one by one.
_FEW = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault, and all that an answer with it depends on.

    detail: what of the text differs from question to question.
    """

    text: str
    question: Question
    chosen: Selection
    samples: Sequence[Sample]
    detail: str = ''
    nudge: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A question, and the samples that have to do with it.

    samples: in order of time, once each; sent: as they may have been sent,
        in several orders, some of them twice.
    shown: as the service itself shows them, where that is not as they are.
    """

    question: Question
    samples: Sequence[Sample]
    sent: Sequence[Sequence[Sample]] = ()
    shown: Sequence[Sample] | None = None
    chosen: Selection = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, 'chosen', selection.of(self.question))

    def fault(self, text: str, **changes: object) -> Fault:
        """A fault that changes some of it."""
        same = Fault(text=text, question=self.question, chosen=self.chosen,
                     samples=self.samples)
        return dataclasses.replace(same, **changes)     # type: ignore[arg-type]

    def window(self, text: str, **changes: object) -> Fault:
        """A fault that changes what is selected."""
        return self.fault(text, chosen=dataclasses.replace(
            self.chosen, **changes))                    # type: ignore[arg-type]


def faults(case: Case) -> Iterator[Fault]:
    """All that is known; the more particular first."""
    if case.shown is not None:
        yield case.fault('this is the answer for the samples that the '
                         'service shows, some of which are not as they '
                         'should be', samples=case.shown)
    yield case.fault('what is said of all samples of a resource, such as '
                     'links to its meters, is that of the selected ones '
                     'only', samples=[sample for sample in case.samples
                                      if case.chosen.has(sample)])
    yield from _borders(case)
    yield from _offsets(case)
    yield from _periods(case)
    yield from _limits(case)
    yield from _counters(case)
    yield from _sent(case)
    yield from _rules(case)
    yield from _holders(case)
    yield from _zones(case)
    yield from _single(case)


def _borders(case: Case) -> Iterator[Fault]:
    chosen, ops = case.chosen, {rule.op for rule in case.question.rules}
    bounds = [('start', chosen.lower), ('end', chosen.upper)]
    for side, bound in bounds:
        if bound is None:
            continue
        edge: int = getattr(chosen, side)
        for by, text in ((1, 'includes' if side == 'end' else 'lacks'),
                         (-1, 'lacks' if side == 'end' else 'includes')):
            exact = ((side, by) in (('end', 1), ('start', 1))
                     ) != bool(ops & {'le' if side == 'end' else 'gt'})
            where = (f'exactly at the {side}' if exact
                     else f'a microsecond beside the {side}')
            op = _confused(side, by) if exact else ''
            yield case.window(f'the answer {text} what lies {where}{op}',
                              **{side: edge + by})
    if chosen.lower is not None and chosen.upper is not None:
        yield case.window(
            'the answer lacks what lies exactly at the start and includes '
            'what lies exactly at the end', start=chosen.start + 1,
            end=chosen.end + 1)
    for unit, name in ((SECOND, 'second'), (_HOUR, 'hour'),
                       (24 * _HOUR, 'day')):
        for side, bound in bounds:
            for by in (0, unit):
                if bound is not None:
                    edge = getattr(chosen, side) // unit * unit + by
                    yield case.window(
                        f'the {side} is taken to be at a whole {name}',
                        **{side: edge})


def _confused(side: str, by: int) -> str:
    if side == 'end':
        return ' (<= for <)' if by > 0 else ' (< for <=)'
    return ' (> for >=)' if by > 0 else ' (>= for >)'


def _offsets(case: Case) -> Iterator[Fault]:
    chosen = case.chosen
    offset = sum(int(rule.value) for rule in case.question.rules
                 if rule.field == 'search_offset') * 60 * SECOND
    if offset:
        inner = {'start': chosen.start + offset if chosen.lower is not None
                 else chosen.start,
                 'end': chosen.end - offset if chosen.upper is not None
                 else chosen.end}
        yield case.window('the search_offset is not heeded', **inner)
        for side, edge in inner.items():
            yield case.window(f'the search_offset is not heeded at the '
                              f'{side}', **{side: edge})
        yield case.window('the duration is not that of the range asked for',
                          lower=None, upper=None)
    bare = [dataclasses.replace(rule, value=instants.show(
                instants.parse(rule.value, zone=False)))
            if rule.field == 'timestamp' else rule
            for rule in case.question.rules]
    yield _asked(case, 'a timestamp is read without its offset from UTC',
                 bare)


def _asked(case: Case, text: str, rules: Sequence[Rule]) -> Fault:
    question = dataclasses.replace(case.question, rules=tuple(rules))
    return case.fault(text, question=question,
                      chosen=selection.of(question))


def _periods(case: Case) -> Iterator[Fault]:
    step = (case.question.period or 0) * SECOND
    found = [sample for sample in case.samples if case.chosen.has(sample)]
    if not step or not found:
        return
    yield case.fault('a sample at the border of two periods counts in the '
                     'first of them', nudge=-1)
    earliest = found[0].timestamp
    for name, origin in (
            ('the earliest sample', earliest),
            ('whole periods since 1970', earliest // step * step),
            ('the start of its day', earliest // (24 * _HOUR) * 24 * _HOUR),
            ('the start of its hour', earliest // _HOUR * _HOUR)):
        yield case.window(f'periods are counted from {name}', lower=origin)
    yield case.fault('the newest sample, at the border of a period, is left '
                     'out', samples=[one for one in case.samples
                                     if one is not found[-1]])


def _limits(case: Case) -> Iterator[Fault]:
    limit = case.question.limit
    if limit is None and case.question.kind in (
            Kind.SAMPLES, Kind.METER, Kind.METERS, Kind.RESOURCES):
        for kept in range(1, DEFAULT_LIMIT):
            yield case.fault(
                f'a list without a limit is cut to {kept}',
                question=dataclasses.replace(case.question, limit=kept))
    if limit is not None:
        for by in (1, -1):
            yield case.fault(
                'the limit is one too ' + ('large' if by > 0 else 'small'),
                question=dataclasses.replace(case.question,
                                             limit=limit + by))


def _counters(case: Case) -> Iterator[Fault]:
    for text, handled in counters.FAULTS.items():
        yield case.fault(text, samples=handled(case.samples))


def _sent(case: Case) -> Iterator[Fault]:
    yield case.fault('every sample counts twice',
                     samples=[*case.samples, *case.samples])
    for sent in case.sent:
        yield case.fault(
            'what was sent twice counts twice: what is counted are '
            'deliveries, not the samples that were stored', samples=sent)
    for sent in case.sent:
        once = list({sample.message_id: sample for sample in sent}.values())
        mine = [place for place, sample in enumerate(once)
                if case.chosen.has(sample)]
        for place in mine[:-_FEW - 1:-1]:
            yield case.fault(
                'the answer is what it was before a last batch came: it is '
                'stale, or the batch was lost',
                detail=f'sample {once[place].message_id} and those sent '
                'after it', samples=once[:place])


def _rules(case: Case) -> Iterator[Fault]:
    for rule in case.question.rules:
        if rule.field not in ('timestamp', 'search_offset', 'source'):
            yield _asked(
                case, f'the rule {rule.field} {rule.op} {rule.value} is not '
                'heeded', [one for one in case.question.rules
                           if one is not rule])
    for side, edge in (('start', instants.FIRST), ('end', instants.LAST)):
        yield case.window(f'the {side} of the range is not heeded',
                          **{side: edge})


def _holders(case: Case) -> Iterator[Fault]:
    yield case.fault('project and user are exchanged', samples=[
        sample._replace(project_id=sample.user_id, user_id=sample.project_id)
        for sample in case.samples])
    for name in ('project_id', 'user_id'):
        known = sorted({getattr(sample, name) for sample in case.samples},
                       key=str)
        for one, other in itertools.combinations(known[:8], 2):
            yield case.fault(
                f'{name} {one} and {name} {other} are exchanged',
                samples=counters.renamed(case.samples, name,
                                         {one: other, other: one}))
            for wrong, right in ((one, other), (other, one)):
                yield case.fault(
                    f'samples have {name} {wrong} instead of {right}',
                    samples=counters.renamed(case.samples, name,
                                             {right: wrong}))


def _zones(case: Case) -> Iterator[Fault]:
    """By half hours, as zones of the earth are apart, and by quarters."""
    chosen = case.chosen
    for quarters in range(1, 4 * 14 + 1):
        for by in (quarters * _HOUR // 4, -quarters * _HOUR // 4):
            how = instants.show_length(by)
            if chosen.lower is not None or chosen.upper is not None:
                yield case.window(
                    f'the answer is that of a range shifted by {how}: '
                    'a time zone', start=chosen.start + by,
                    end=chosen.end + by,
                    lower=_moved(chosen.lower, by),
                    upper=_moved(chosen.upper, by))
            yield case.fault(
                f'the timestamps of samples are shifted by {how}: a time '
                'zone', samples=[sample._replace(
                    timestamp=sample.timestamp + by)
                    for sample in case.samples])


def _moved(bound: int | None, by: int) -> int | None:
    return None if bound is None else bound + by


def _single(case: Case) -> Iterator[Fault]:
    """One sample too few or too many."""
    mine = [sample for sample in case.samples if case.chosen.has(sample)]
    for sample in mine[:_FEW]:
        hour = sample.timestamp % _HOUR == 0
        detail = f'{sample.message_id} of {instants.show(sample.timestamp)}'
        yield case.fault(
            'a sample is not counted' + (
                ', which lies at the border of an hour: < for <='
                if hour else ''), detail=detail,
            samples=[one for one in case.samples if one is not sample])
        yield case.fault(
            'a sample counts twice' + (
                ', which lies at the border of an hour: <= for <'
                if hour else ''), detail=detail,
            samples=[*case.samples, sample])
