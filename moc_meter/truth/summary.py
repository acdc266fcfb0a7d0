# SPDX-License-Identifier: Apache-2.0
"""What is remembered of samples in order to ask about them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from moc_meter.truth.forms import Instant, Sample
from moc_meter.truth.seed import Dice

#: Samples that are remembered whole.
KEPT = 2000


@dataclass(slots=True, kw_only=True)
class Summary:
    """Some of the samples whole, each with equal chance, and their bounds.

    zone: whose days, weeks and months are asked about, besides those of UTC.
    """

    source: str
    zone: str
    dice: Dice
    count: int = 0
    first: Instant = 0
    last: Instant = 0
    kept: list[Sample] = field(default_factory=list)
    #: One sample of every meter, so that the rare ones are asked about too.
    meters: dict[str, Sample] = field(default_factory=dict)

    def add(self, sample: Sample) -> None:
        """Remember one more, or not."""
        if not self.count:
            self.first = self.last = sample.timestamp
        self.count += 1
        self.first = min(self.first, sample.timestamp)
        self.last = max(self.last, sample.timestamp)
        self.meters.setdefault(sample.meter, sample)
        if len(self.kept) < KEPT:
            self.kept.append(sample)
        elif (place := self.dice.below(self.count)) < KEPT:
            self.kept[place] = sample

    def noting(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        """The samples, each remembered as it passes by."""
        for sample in samples:
            self.add(sample)
            yield sample

    def again(self, *parts: object) -> Summary:
        """The same, with throws of its own for a purpose."""
        return dataclasses.replace(self, dice=Dice(*parts))


def summary(samples: Iterable[Sample], *, source: str, zone: str,
            seed: int) -> Summary:
    """Of all the samples."""
    found = Summary(source=source, zone=zone, dice=Dice('summary', seed))
    for sample in samples:
        found.add(sample)
    return found
