# SPDX-License-Identifier: Apache-2.0
"""The answers to questions, from nothing but a list of samples.

Many questions are answered in one pass over the samples, which may be a
stream: what is kept is as large as the answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Protocol

from moc_meter.truth import selection
from moc_meter.truth.compare import Difference
from moc_meter.truth.figures import Statistics
from moc_meter.truth.forms import Sample
from moc_meter.truth.lists import (
    Links,
    Meters,
    OneResource,
    OneSample,
    Resources,
    Samples,
    old_sample_fields,
    sample_fields,
)
from moc_meter.truth.questions import Kind, Question
from moc_meter.truth.selection import Selection


class Answer(Protocol):
    """What a question must be answered."""

    selection: Selection

    def take(self, sample: Sample) -> None:
        """Count in a sample, which is one of the selection."""

    def shown(self) -> object:
        """The answer, ready for JSON; where several will do, one of them.

        Figures that are exact are fractions.
        """

    def differences(self, status: int, got: object) -> list[Difference]:
        """How what a service said differs; nothing where it is right."""


def answer(questions: Sequence[Question], samples: Iterable[Sample]
           ) -> list[Answer]:
    """The answers to all the questions, in their order.

    samples: each once; a stream of them in order of time, a sequence in any.
    Raises ValueError where the API would refuse a question.
    """
    answers = [blank(question) for question in questions]
    collect(answers, samples)
    return answers


def blank(question: Question, chosen: Selection | None = None, *,
          nudge: int = 0) -> Answer:
    """The answer to the question where there is no sample yet.

    chosen, nudge: for the answer of a service that has a certain fault.
    """
    chosen = chosen or selection.of(question)
    match question.kind:
        case Kind.STATISTICS:
            return Statistics(question, chosen, nudge=nudge)
        case Kind.SAMPLES:
            return Samples(question, chosen, sample_fields)
        case Kind.METER:
            return Samples(question, chosen, old_sample_fields)
        case Kind.METERS:
            return Meters(question, chosen)
        case Kind.RESOURCES:
            return Resources(question, chosen)
        case Kind.SAMPLE:
            return OneSample(question, chosen, sample_fields)
        case Kind.RESOURCE:
            return OneResource(question, chosen)


def collect(answers: Sequence[Answer], samples: Iterable[Sample]) -> None:
    """Give every answer its samples."""
    if isinstance(samples, Sequence):
        samples = sorted(samples, key=attrgetter('timestamp'))
    candidates = _Candidates(answers)
    links: Links | None = None
    for one in answers:
        if isinstance(one, Resources):
            links = one.links = {} if links is None else links
    for sample in samples:
        for one in candidates.of(sample):
            if one.selection.has(sample):
                one.take(sample)
        if links is not None:
            links.setdefault(sample.resource_id, set()).add(sample.meter)


class _Candidates:
    """Answers, looked up by what all of their samples have in one place.

    So a sample meets those answers only that it may belong to.
    """

    def __init__(self, answers: Sequence[Answer]) -> None:
        self._always: list[Answer] = []
        by: dict[int, dict[object, list[Answer]]] = {}
        for one in answers:
            if key := one.selection.key:
                place, value = key
                by.setdefault(place, {}).setdefault(value, []).append(one)
            else:
                self._always.append(one)
        self._by = list(by.items())

    def of(self, sample: Sample) -> Iterator[Answer]:
        yield from self._always
        for place, by in self._by:
            yield from by.get(sample[place], ())
