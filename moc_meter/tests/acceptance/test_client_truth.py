# SPDX-License-Identifier: Apache-2.0
"""Questions by chance, asked in every way: the truth is the only answer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from moc_meter import client
from moc_meter.cmd.truth.over_bus import sample
from moc_meter.tests.acceptance import truths, ways
from moc_meter.truth import answers, asking, summary
from moc_meter.truth.answers import Answer
from moc_meter.truth.questions import Kind, Question
from moc_meter.truth.service import Said, Service
from moc_meter.truth.world import World

#: Of each world.
QUESTIONS = 100
#: In one names are unusual, in the other volumes have all digits.
WORLDS = (World(2, 'small', source='ways-2'),
          World(5, 'small', decimals=True, source='ways-5'))

Ask = Callable[[Question], Said]


class Asked(NamedTuple):
    """A question, and the only answers to it."""

    question: Question
    truth: Answer


@pytest.fixture(scope='module')
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service that was told of both worlds by the library itself."""
    with contextlib.ExitStack() as stack:
        found = truths.standalone(
            stack, tmp_path_factory.mktemp('ways')).url
        service = stack.enter_context(client.connect(found))
        for world in WORLDS:
            outcomes = service.ingest(map(sample, world.samples()))
            assert {one.status for one in outcomes} == {'stored'}
        yield found


@pytest.fixture(scope='module')
def asked() -> list[Asked]:
    found: list[Asked] = []
    for world in WORLDS:
        samples = list(world.samples())
        questions = [ways.askable(one) for one in asking.random_questions(
            summary.summary(samples, source=world.source, zone=world.zone,
                            seed=world.seed), world.seed, QUESTIONS)]
        found += map(Asked, questions, answers.answer(questions, samples))
    return found


def wrong(asked: list[Asked], ask: Ask) -> list[str]:
    """What differs from the truth, with the question."""
    return [f'{one.question.url()}: {difference}' for one in asked
            for difference in one.truth.differences(*ask(one.question))]


def lists(asked: list[Asked]) -> list[Asked]:
    return [one for one in asked
            if one.question.kind not in (Kind.SAMPLE, Kind.RESOURCE)]


def test_by_rest(url: str, asked: list[Asked]) -> None:
    with Service(url) as service:
        assert wrong(asked, lambda one: service.get(one.url())) == []


def test_by_the_library(url: str, asked: list[Asked]) -> None:
    with client.connect(url) as service:
        assert wrong(asked, lambda one: ways.by_library(service, one)) == []


def test_by_the_command_line_as_json(url: str, asked: list[Asked]) -> None:
    typed = ways.in_process(url)
    assert wrong(asked, lambda one: ways.by_json(typed, one)) == []


def test_by_the_command_line_as_csv(url: str, asked: list[Asked]) -> None:
    typed = ways.in_process(url)
    assert wrong(lists(asked), lambda one: ways.by_csv(typed, one)) == []


def test_by_processes(url: str, asked: list[Asked]) -> None:
    """One of each kind, the first that asks most."""
    typed = ways.by_process(url)
    chosen = {one.question.kind: one for one in sorted(
        asked, key=lambda one: len(one.question.url()))}
    assert len(chosen) == 6
    assert wrong(list(chosen.values()),
                 lambda one: ways.by_json(typed, one)) == []


def test_the_questions_are_of_every_kind_and_have_answers(
        asked: list[Asked]) -> None:
    assert {one.question.kind for one in asked} == set(Kind) - {Kind.METER}
    assert sum(bool(one.truth.shown()) for one in asked) > len(asked) / 2


def test_a_wrong_answer_would_be_seen(url: str, asked: list[Asked]) -> None:
    """By the same reading: of every list one row is left out."""
    typed = ways.in_process(url)

    def shortened(question: Question) -> Said:
        said = ways.by_csv(typed, question)
        return said._replace(body=said.body[1:])

    some = [one for one in lists(asked)[:20] if one.truth.shown()]
    assert {line.partition(': ')[0] for line in wrong(some, shortened)} == {
        one.question.url() for one in some}
