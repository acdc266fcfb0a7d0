# SPDX-License-Identifier: Apache-2.0
"""What most likely went wrong, so that whoever reads a report can begin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from moc_meter.truth import (
    answers,
    compare,
    instants,
    sample_hints,
    selection,
)
from moc_meter.truth.compare import Difference
from moc_meter.truth.faults import Case, Fault, faults
from moc_meter.truth.forms import SECOND, UNIT, Sample
from moc_meter.truth.questions import Question
from moc_meter.truth.reading import Reading
from moc_meter.truth.report import Report, Wrong
from moc_meter.truth.selection import Selection
from moc_meter.truth.service import Said
from moc_meter.truth.world import World

#: Wrong answers that are thought through, and samples of one of them.
EXPLAINED, _SAMPLES = 25, 5000
#: Relative error of sums of doubles, with much to spare.
_TINY = Fraction(1, 10 ** 12)
_DAY = 24 * 3600 * SECOND


def explain(report: Report, world: World) -> None:
    """Add hints to what the report names."""
    found = report.reading
    if found and (absent := sample_hints.absent(found, world)):
        report.hints.append(absent)
        for wrong in report.wrong:
            wrong.hint, wrong.evidence = wrong.hint or absent, None
        return
    if found and not found.ok:
        report.hints += sample_hints.hints(found, world)
    hard = [wrong for wrong in report.wrong if wrong.evidence]
    if hard:
        for wrong, case in zip(hard, _cases(hard, found, world),
                               strict=True):
            wrong.hint, wrong.detail = _thought_through(wrong, case)
            wrong.evidence = None


def plain(said: Said, differences: Sequence[Difference]) -> str:
    """What can be seen without thinking; '' where nothing can."""
    if said.status >= 500:
        return f'the service fails with {said.status}: see its log'
    if any(map(_is_senseless, differences)):
        return 'the answer has not the form that the API defines'
    if all(map(_is_double, differences)):
        return ('figures are the nearest binary doubles of the truth: a '
                'float')
    if all(map(_is_near, differences)):
        return 'figures differ as sums of doubles do: a float'
    return ''


def _is_senseless(one: Difference) -> bool:
    """Whether it is of something that has no name, or is no object."""
    nameless = ('row', 'sample', 'meter', 'resource')
    return ((one.where in nameless and one.want is None)
            or one.want in ('a JSON list', 'a JSON object'))


def _is_double(one: Difference) -> bool:
    got = compare.as_number(one.got)
    return (got is not None and isinstance(one.want, int | Fraction)
            and compare.double(got) == float(one.want))


def _is_near(one: Difference) -> bool:
    got, want = compare.as_number(one.got), compare.as_number(one.want)
    if got is None or want is None:
        return False
    return abs(got - want) <= _TINY * abs(want)


def _thought_through(wrong: Wrong, case: Case | None) -> tuple[str, str]:
    for fault in faults(case) if case else ():
        if _answered(fault, wrong):
            return fault.text, fault.detail
    return _counted(wrong), ''


def _answered(fault: Fault, wrong: Wrong) -> bool:
    """Whether a service with the fault would have answered this."""
    answer = answers.blank(fault.question, fault.chosen, nudge=fault.nudge)
    answers.collect([answer], fault.samples)
    return not answer.differences(*(wrong.evidence or wrong.said))


def _counted(wrong: Wrong) -> str:
    """At least whether there are too many or too few."""
    counts = [one for one in wrong.differences if one.field == 'count']
    by = sum(Fraction(one.by) for one in counts if one.by)
    if not by:
        return ''
    if by > 0:
        return ('samples count that should not, or some more than once, as '
                'where rollups are made of what was sent and not of what '
                'was stored')
    return ('samples do not count that should: lost, or stored after the '
            'answer was kept')


def _cases(wrong: Sequence[Wrong], reading: Reading | None, world: World
           ) -> Iterator[Case | None]:
    """The samples that have to do with each; None where these are many."""
    near = [_near(one.question) for one in wrong]
    once = _gathered(near, world.samples())
    orders = [_gathered(near, world.delivered(order))
              for order in ('arrival', 'shuffled')]
    changed = _Shown(reading) if reading and not reading.ok else None
    for place, one in enumerate(wrong):
        samples = once[place]
        if samples is None:
            yield None
            continue
        yield Case(question=one.question, samples=samples,
                   sent=[order[place] or () for order in orders],
                   shown=changed.of(samples) if changed else None)


def _near(question: Question) -> Selection:
    """What the question selects, were its rules less narrow."""
    chosen = selection.of(question)
    kept = [pair for pair in chosen.equal
            if pair[0] in (selection.METER, selection.RESOURCE)]
    return Selection(equal=tuple(kept[:1]), start=chosen.start - _DAY,
                     end=chosen.end + _DAY)


def _gathered(near: Sequence[Selection], samples: Iterable[Sample]
              ) -> list[list[Sample] | None]:
    found: list[list[Sample] | None] = [[] for _ in near]
    for sample in samples:
        for place, chosen in enumerate(near):
            mine = found[place]
            if mine is not None and chosen.has(sample):
                mine.append(sample)
                if len(mine) > _SAMPLES:
                    found[place] = None
    return found


class _Shown:
    """Samples as the service shows them."""

    def __init__(self, reading: Reading) -> None:
        self._lost = {sample.message_id for sample in reading.lost}
        self._times = dict(reading.doubled)
        for original in reading.copies.values():
            self._times[original] = self._times.get(original, 1) + 1
        self._bent = {bent.sample.message_id: bent.differences
                      for bent in reading.bent}

    def of(self, samples: Iterable[Sample]) -> list[Sample]:
        return [_bent(sample, self._bent.get(sample.message_id, ()))
                for sample in samples if sample.message_id not in self._lost
                for _ in range(self._times.get(sample.message_id, 1))]


_FIELDS = {'meter': 'meter', 'type': 'kind', 'unit': 'unit',
           'project_id': 'project_id', 'user_id': 'user_id',
           'resource_id': 'resource_id'}


def _bent(sample: Sample, differences: Iterable[Difference]) -> Sample:
    for one in differences:
        if one.field in _FIELDS and isinstance(one.got, str | None):
            sample = Sample(**{**sample._asdict(),
                               _FIELDS[one.field]: one.got})
        elif (one.field == 'volume'
              and (volume := compare.as_number(one.got)) is not None):
            sample = sample._replace(volume=int(volume * UNIT))
        elif (one.field == 'timestamp'
              and (at := instants.read(one.got)) is not None):
            sample = sample._replace(timestamp=at)
    return sample
