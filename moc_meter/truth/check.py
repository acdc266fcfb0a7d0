# SPDX-License-Identifier: Apache-2.0
"""Whether a running service has a world, and answers as it should."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from moc_meter.truth import answers, asking, hints
from moc_meter.truth import reading as read_samples
from moc_meter.truth.answers import Answer
from moc_meter.truth.compare import Difference
from moc_meter.truth.questions import Question, parse
from moc_meter.truth.reading import Progress, Reading
from moc_meter.truth.report import SHOWN, Report, Wrong, cut
from moc_meter.truth.seed import Dice
from moc_meter.truth.service import Headers, Said, Service
from moc_meter.truth.summary import Summary
from moc_meter.truth.world import World

#: Questions that are answered in one pass over the world's samples.
_BATCH = 500


def check(url: str, world: World, *, questions: int = 500,
          seed: int | None = None, only: Sequence[str] = (),
          headers: Headers | None = None, timeout: float = 60.0,
          progress: Progress = lambda *_: None) -> Report:
    """Compare what the service says with what is true of the world.

    questions: how many are asked by chance, of a seed of their own if need
        be; only: ask these instead, and do not read the samples.
    headers: say who asks; called before each request.
    progress: is told what is being done, and how many are done.
    Raises ServiceFailed where the service cannot be read, ValueError where
    there is no such question.
    """
    with Service(url, headers=headers, timeout=timeout) as service:
        return _Check(service, world, progress).report(
            questions, world.seed if seed is None else seed, only)


class _Check:
    def __init__(self, service: Service, world: World, progress: Progress
                 ) -> None:
        self._service, self._world = service, world
        self._progress = progress
        self._hard = 0

    def report(self, count: int, seed: int, only: Sequence[str]) -> Report:
        reading: Reading | None = None
        if only:
            asked = [parse(text) for text in only]
        else:
            summary = Summary(source=self._world.source,
                              zone=self._world.zone,
                              dice=Dice('summary', self._world.seed))
            reading = read_samples.read(self._service, self._world, summary,
                                        self._progress)
            asked = [] if reading.stopped else list(
                asking.random_questions(summary, seed, count))
        report = Report(
            url=self._service.url, seed=self._world.seed,
            scale=self._world.scale, decimals=self._world.decimals,
            source=self._world.source, reading=reading, questions=len(asked))
        for start in range(0, len(asked), _BATCH):
            report.wrong += self._wrong(asked[start:start + _BATCH], start)
        hints.explain(report, self._world)
        return report

    def _wrong(self, asked: Sequence[Question], before: int
               ) -> Iterator[Wrong]:
        true = answers.answer(asked, self._world.samples())
        for place, question in enumerate(asked):
            truth = true[place]
            said = self._service.get(question.url())
            if differences := truth.differences(*said):
                yield self._named(question, said, truth, differences)
            self._progress('questions', before + place + 1)

    def _named(self, question: Question, said: Said, truth: Answer,
               differences: Sequence[Difference]) -> Wrong:
        """What is kept of it is short, but of a few for an explanation."""
        hint = hints.plain(said, differences)
        hard = not hint and self._hard < hints.EXPLAINED
        self._hard += hard
        return Wrong(
            question=question, said=Said(said.status, cut(said.body)),
            truth=cut(truth.shown()), count=len(differences), hint=hint,
            differences=[dataclasses.replace(
                one, got=cut(one.got), want=cut(one.want))
                for one in differences[:SHOWN]],
            evidence=said if hard else None)
