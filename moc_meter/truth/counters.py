# SPDX-License-Identifier: Apache-2.0
"""What becomes of samples that somebody handles wrongly.

Each fault takes samples in order of time and gives what would be counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from moc_meter.truth.forms import Sample

Handled = Callable[[Sequence[Sample]], list[Sample]]


def _steps(samples: Iterable[Sample]
           ) -> Iterator[tuple[Sample, Sample | None]]:
    """Each with the one before it in its series, if it is of a counter."""
    before: dict[tuple[str, str], Sample] = {}
    for sample in samples:
        yield sample, before.get((sample.meter, sample.resource_id))
        if sample.kind == 'cumulative':
            before[sample.meter, sample.resource_id] = sample


def _made_good(samples: Sequence[Sample]) -> list[Sample]:
    carried: dict[tuple[str, str], int] = {}
    found = []
    for sample, before in _steps(samples):
        series = (sample.meter, sample.resource_id)
        if before and sample.volume < before.volume:
            carried[series] = carried.get(series, 0) + before.volume
        found.append(sample._replace(
            volume=sample.volume + carried.get(series, 0)))
    return found


def _held(samples: Sequence[Sample]) -> list[Sample]:
    peaks: dict[tuple[str, str], int] = {}
    found = []
    for sample, _ in _steps(samples):
        if sample.kind == 'cumulative':
            series = (sample.meter, sample.resource_id)
            peaks[series] = max(peaks.get(series, 0), sample.volume)
            sample = sample._replace(volume=peaks[series])
        found.append(sample)
    return found


def _left_out(samples: Sequence[Sample]) -> list[Sample]:
    return [sample for sample, before in _steps(samples)
            if not before or sample.volume >= before.volume]


def _zeroed(samples: Sequence[Sample]) -> list[Sample]:
    return [sample._replace(volume=0)
            if before and sample.volume < before.volume else sample
            for sample, before in _steps(samples)]


def _differences(samples: Sequence[Sample], reset: Callable[[Sample], int]
                 ) -> list[Sample]:
    found = []
    for sample, before in _steps(samples):
        if before:
            step = sample.volume - before.volume
            sample = sample._replace(
                volume=step if step >= 0 else reset(sample))
        found.append(sample)
    return found


#: What was done, by its name.
FAULTS: Mapping[str, Handled] = {
    'the reset of a counter is made good: what it had before is added':
        _made_good,
    'the reset of a counter is not believed: it stays where it was': _held,
    'the first sample of a counter after its reset is left out': _left_out,
    'the first sample of a counter after its reset counts as 0': _zeroed,
    'a counter is answered by differences of its readings':
        lambda samples: _differences(samples, lambda one: one.volume),
    'a counter is answered by differences of its readings, 0 at a reset':
        lambda samples: _differences(samples, lambda _: 0),
}


def renamed(samples: Iterable[Sample], name: str,
            names: Mapping[str | None, str | None]) -> list[Sample]:
    """A field of them, 'project_id' say, has another value for some."""
    return [Sample(**{**sample._asdict(), name: names.get(value, value)})
            for sample in samples for value in (getattr(sample, name),)]
