# SPDX-License-Identifier: Apache-2.0
"""What a check has found, for people and for programs."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from itertools import chain, islice

from moc_meter.truth import compare
from moc_meter.truth.compare import Difference
from moc_meter.truth.questions import Kind, Question, Rule
from moc_meter.truth.reading import Reading
from moc_meter.truth.service import Said

#: Of what there may be many, so many are shown.
SHOWN = 10
#: Characters of an answer that are shown to people.
_LONGEST = 600


@dataclass(slots=True, kw_only=True)
class Wrong:
    """A question that was not answered as it should be.

    said, truth: cut short where they are long, as there may be many.
    differences: the first SHOWN of them; count: how many there are.
    hint: what most likely went wrong; '' where nobody can tell.
    detail: what of that is so in this answer.
    evidence: all that was said, until that has been thought through.
    """

    question: Question
    said: Said
    truth: object
    differences: list[Difference]
    count: int
    hint: str = ''
    detail: str = ''
    evidence: Said | None = None


@dataclass(slots=True, kw_only=True)
class Report:
    """What a check has found.

    reading: of the samples; None where single questions were asked.
    hints: what most likely went wrong with the samples.
    """

    url: str
    seed: int
    scale: str
    decimals: bool
    source: str
    reading: Reading | None
    questions: int
    wrong: list[Wrong] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.wrong and (self.reading is None or self.reading.ok)

    @property
    def differences(self) -> int:
        """How many samples and answers are not what they should be."""
        found = self.reading or Reading()
        return (len(self.wrong) + len(found.lost) + len(found.bent)
                + len(found.doubled) + len(found.copies)
                + len(found.strange))

    def look(self, message_id: str) -> str:
        """What asks for one sample again."""
        return self.command(Question(kind=Kind.SAMPLE, name=message_id))

    def count(self, message_id: str) -> str:
        """What asks how often one sample is there."""
        return self.command(Question(kind=Kind.SAMPLES, rules=(
            Rule('source', 'eq', self.source),
            Rule('message_id', 'eq', message_id))))

    def command(self, question: Question) -> str:
        """What asks the question again."""
        parts = ['moc-meter', 'truth', 'check', '--url', self.url,
                 '--seed', str(self.seed), '--scale', self.scale]
        if self.decimals:
            parts.append('--decimals')
        if self.source != f'truth-{self.seed}':
            parts += ['--source', self.source]
        return shlex.join([*parts, '--question', question.url()])

    def text(self) -> str:
        """For people."""
        return '\n'.join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield (f'{self.url}: world {self.seed} ({self.scale}'
               f'{", decimals" if self.decimals else ""}), source '
               f'{self.source}')
        if self.reading:
            yield from _samples(self.reading, self)
            yield from (f'  likely: {hint}' for hint in self.hints)
        if self.reading and self.reading.stopped:
            yield 'questions: none asked, as so much is amiss'
        else:
            yield (f'questions: {self.questions} asked, {len(self.wrong)} '
                   'answered wrongly')
        for hint, count in self._causes():
            yield f'  {count} x likely: {hint}'
        for number, wrong in enumerate(self.wrong[:SHOWN], 1):
            yield from self._one(number, wrong)
        if len(self.wrong) > SHOWN:
            yield f'... and {len(self.wrong) - SHOWN} more'
        yield 'all is as it should be' if self.ok else (
            f'{self.differences} differences')

    def _causes(self) -> list[tuple[str, int]]:
        return Counter(wrong.hint for wrong in self.wrong if wrong.hint
                       ).most_common(SHOWN)

    def _one(self, number: int, wrong: Wrong) -> Iterator[str]:
        yield ''
        yield f'[{number}] {wrong.question.url()}'
        for difference in wrong.differences:
            yield f'  {difference}'
        if wrong.count > len(wrong.differences):
            yield f'  ... and {wrong.count - len(wrong.differences)} more'
        if wrong.hint:
            detail = f' ({wrong.detail})' if wrong.detail else ''
            yield f'  likely: {wrong.hint}{detail}'
        yield f'  answer: {_short(wrong.said.body)}'
        yield f'  truth:  {_short(wrong.truth)}'
        yield f'  again:  {self.command(wrong.question)}'

    def document(self) -> Mapping[str, object]:
        """For programs: JSON; exact figures are text."""
        return plain({
            'ok': self.ok, 'url': self.url, 'seed': self.seed,
            'scale': self.scale, 'decimals': self.decimals,
            'source': self.source, 'differences': self.differences,
            'samples': self.reading and _document(self.reading, self),
            'questions': {
                'asked': self.questions, 'wrong': len(self.wrong),
                'likely': dict(self._causes()),
                'each': [{
                    'question': wrong.question.url(), 'likely': wrong.hint,
                    'detail': wrong.detail,
                    'status': wrong.said.status, 'answer': wrong.said.body,
                    'truth': wrong.truth, 'different': wrong.count,
                    'differences': [*map(_shown, wrong.differences)],
                    'again': self.command(wrong.question)}
                    for wrong in self.wrong]}})


def _samples(found: Reading, report: Report) -> Iterator[str]:
    yield (f'samples: {found.wanted} wanted, {found.read} read, '
           f'{len(found.lost)} lost, '
           f'{len(found.doubled) + len(found.copies)} doubled, '
           f'{len(found.bent)} bent, {len(found.strange)} strange')
    if found.stopped:
        yield '  reading ended early: there is too much amiss'
    for kind, each in _each(found, report).items():
        for says, one in islice(each, SHOWN):
            yield f'  {kind}: {says}'
            yield f'    again: {one["again"]}'


Each = Iterator[tuple[str, Mapping[str, object]]]


def _each(found: Reading, report: Report) -> Mapping[str, Each]:
    """What is amiss, by kind: for people, and for programs."""
    return {
        'lost': ((f'{one.message_id} ({one.meter} of {one.resource_id})',
                  {'id': one.message_id,
                   'again': report.look(one.message_id)})
                 for one in found.lost),
        'doubled': chain(
            ((f'{name} is there {times} times',
              {'id': name, 'times': times, 'again': report.count(name)})
             for name, times in found.doubled.items()),
            ((f'{name} is {original} under another id',
              {'id': name, 'copy_of': original, 'again': report.look(name)})
             for name, original in found.copies.items())),
        'bent': (('; '.join(map(str, bent.differences)),
                  {'id': bent.sample.message_id,
                   'differences': [*map(_shown, bent.differences)],
                   'again': report.look(bent.sample.message_id)})
                 for bent in found.bent),
        'strange': ((f'{name} is of this source and not of the world',
                     {'id': name, 'again': report.look(name)})
                    for name in found.strange)}


def _document(found: Reading, report: Report) -> Mapping[str, object]:
    return {
        'wanted': found.wanted, 'read': found.read, 'stopped': found.stopped,
        'lost': len(found.lost), 'bent': len(found.bent),
        'doubled': len(found.doubled) + len(found.copies),
        'strange': len(found.strange), 'likely': report.hints,
        'each': {kind: [one for _, one in each]
                 for kind, each in _each(found, report).items()}}


def _shown(one: Difference) -> Mapping[str, object]:
    return {'where': one.where, 'field': one.field, 'got': one.got,
            'want': one.want, 'by': one.by}


def plain(value: object) -> Mapping[str, object]:
    """The same, of what JSON knows."""
    found: Mapping[str, object] = json.loads(json.dumps(value,
                                                        default=_text))
    return found


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Fraction):
        return compare.decimal_text(value)
    raise TypeError(f'{type(value).__name__} is no JSON')


def cut(value: object) -> object:
    """The same; of what is long the beginning of its JSON."""
    text = _json(value)
    if len(text) <= _LONGEST:
        return value
    return f'{text[:_LONGEST]}... ({len(text)} characters)'


def _short(value: object) -> str:
    is_cut = isinstance(value, str) and len(value) > _LONGEST
    return str(value) if is_cut else _json(value)


def _json(value: object) -> str:
    return json.dumps(value, default=_text, ensure_ascii=False)
