# SPDX-License-Identifier: Apache-2.0
"""Whether a service has each sample of a world, once and as it is.

All of them are read, by stretches of time that hold about as many as one
answer may; a stretch with more than that is read by halves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from moc_meter.truth import compare, instants
from moc_meter.truth.compare import Difference
from moc_meter.truth.forms import Instant, Sample
from moc_meter.truth.lists import sample_fields
from moc_meter.truth.questions import Kind, Question, Rule
from moc_meter.truth.service import Service, ServiceFailed
from moc_meter.truth.summary import Summary
from moc_meter.truth.world import World

#: Samples of a stretch, and the most that one answer may hold.
STRETCH, PAGE = 4000, 10_000
#: Faults that are remembered; with more, reading ends.
MOST = 20_000

Progress = Callable[[str, int], None]
Seen = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Bent:
    """A sample that is there, and not as it is."""

    sample: Sample
    differences: list[Difference]


@dataclass(slots=True)
class Reading:
    """What was found.

    read, wanted: how many samples the service has, and how many there are.
    doubled: how often ids were found; copies: ids of samples that are others
        under an id of their own, with the id of the other.
    strange: ids of which nothing is known.
    stopped: reading ended early, since there was too much to remember.
    """

    read: int = 0
    wanted: int = 0
    lost: list[Sample] = field(default_factory=list)
    bent: list[Bent] = field(default_factory=list)
    doubled: dict[str, int] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)
    strange: list[str] = field(default_factory=list)
    stopped: bool = False

    @property
    def ok(self) -> bool:
        return not (self.lost or self.bent or self.doubled or self.copies
                    or self.strange)


def read(service: Service, world: World, summary: Summary,
         progress: Progress) -> Reading:
    """Compare all samples of the world's source that the service has.

    summary: is told the samples of the world.
    Raises ServiceFailed.
    """
    reader = _Reader(service, world.source)
    start = instants.FIRST
    for known, end in _stretches(summary.noting(world.samples())):
        reader.compare(known, start, end)
        progress('samples', reader.found.wanted)
        if reader.too_many:
            break
        start = end
    reader.settle()
    if reader.elsewhere:
        reader.recognise(world.samples())
    return reader.found


def _stretches(samples: Iterable[Sample]
               ) -> Iterator[tuple[list[Sample], Instant]]:
    """Samples of one stretch of time, and where it ends; all of the time."""
    known: list[Sample] = []
    for sample in samples:
        if len(known) >= STRETCH and sample.timestamp > known[-1].timestamp:
            yield known, sample.timestamp
            known = []
        known.append(sample)
    yield known, instants.LAST


class _Reader:
    def __init__(self, service: Service, source: str) -> None:
        self.found = Reading()
        self.elsewhere: dict[str, list[Seen]] = {}
        self._service, self._source = service, source
        self._absent: dict[str, Sample] = {}

    @property
    def too_many(self) -> bool:
        return len(self._absent) + len(self.elsewhere) + len(
            self.found.bent) + len(self.found.doubled) > MOST

    def compare(self, known: list[Sample], start: Instant, end: Instant
                ) -> None:
        """One stretch [start, end), in which the samples known lie."""
        wanted = {sample.message_id: sample for sample in known}
        times = dict.fromkeys(wanted, 0)
        self.found.wanted += len(known)
        others: list[Seen] = []
        for seen in self._page(start, end):
            self.found.read += 1
            name = str(seen.get('id'))
            if name in wanted:
                times[name] += 1
                self._judge(wanted[name], seen)
            else:
                others.append(seen)
        for name, count in times.items():
            if count > 1:
                self.found.doubled[name] = count
            elif not count:
                self._absent[name] = wanted[name]
        if others:
            self._set_aside(others, known)

    def _judge(self, sample: Sample, seen: Seen) -> None:
        if differences := compare.fields(f'sample {sample.message_id}', seen,
                                         [sample_fields(sample)]):
            self.found.bent.append(Bent(sample, differences))

    def _set_aside(self, others: list[Seen], known: list[Sample]) -> None:
        """Those that do not belong here: moved, unknown, perhaps copies."""
        there = {_place(sample_fields(sample)): sample for sample in known}
        for seen in others:
            name, sample = str(seen.get('id')), there.get(_place(seen))
            if sample and not compare.fields('', seen, [
                    {**sample_fields(sample), 'id': name}]):
                self.found.copies[name] = sample.message_id
            self.elsewhere.setdefault(name, []).append(seen)

    def _page(self, start: Instant, end: Instant) -> Iterator[Seen]:
        """All of [start, end), by halves where there are many."""
        limit = PAGE if end - start > 1 else 2 ** 31 - 1
        rows = self._service.rows(self._question(start, end, limit).url())
        if len(rows) < limit:
            for row in rows:
                if not isinstance(row, Mapping):
                    raise ServiceFailed(f'{row} is no sample')
                yield row
            return
        middle = (start + end) // 2
        yield from self._page(start, middle)
        yield from self._page(middle, end)

    def _question(self, start: Instant, end: Instant, limit: int
                  ) -> Question:
        return Question(kind=Kind.SAMPLES, limit=limit, rules=(
            Rule('source', 'eq', self._source),
            Rule('timestamp', 'ge', instants.show(start)),
            Rule('timestamp', 'le' if end == instants.LAST else 'lt',
                 instants.show(end))))

    def settle(self) -> None:
        """What was missed in one place may have been found in another."""
        self.found.stopped = self.too_many
        for name in [name for name in self.elsewhere if name in self._absent]:
            others = self._known(name)
            self._judge(self._absent.pop(name), others[0])
            if len(others) > 1:
                self.found.doubled[name] = len(others)
        self.found.lost.extend(self._absent.values())

    def recognise(self, samples: Iterable[Sample]) -> None:
        """What is elsewhere may be one that is where it belongs, too."""
        for sample in samples:
            if others := self._known(sample.message_id):
                self.found.doubled[sample.message_id] = 1 + len(others)
        self.found.strange.extend(name for name in self.elsewhere
                                  if name not in self.found.copies)

    def _known(self, name: str) -> list[Seen]:
        """Where else it is found; it is itself and no copy of another."""
        self.found.copies.pop(name, None)
        return self.elsewhere.pop(name, [])


def _place(fields: Mapping[str, object]) -> tuple[str | None, ...]:
    return tuple(compare.said(fields, name) for name in (
        'timestamp', 'meter', 'resource_id'))
