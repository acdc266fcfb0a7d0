# SPDX-License-Identifier: Apache-2.0
"""How samples arrive: late, twice, and in any order."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from itertools import islice

from moc_meter.truth.facts import Frame
from moc_meter.truth.forms import SECOND, Sample
from moc_meter.truth.seed import mixed

ORDERS = ('arrival', 'shuffled')
#: Samples that are shuffled among each other.
BLOCK = 20_000
#: One in so many is late; one in so many comes twice.
_LATE, _DOUBLED = 64, 32
#: Longest delay, in ticks.
_LONGEST = 12


def delivered(frame: Frame, samples: Iterable[Sample],
              order: str) -> Iterator[Sample]:
    """Every sample at least once."""
    if order not in ORDERS:
        raise ValueError(f'no such order: {order!r}; there are '
                         f'{", ".join(ORDERS)}')
    arriving = _arriving(frame, samples)
    return arriving if order == 'arrival' else _shuffled(frame, arriving)


def _arriving(frame: Frame, samples: Iterable[Sample]) -> Iterator[Sample]:
    """Some later than others of their time, some once more later on."""
    late: list[tuple[int, int, Sample]] = []
    longest = _LONGEST * frame.scale.step * SECOND
    for number, sample in enumerate(samples):
        while late and late[0][0] <= sample.timestamp:
            yield heapq.heappop(late)[2]
        bits = mixed(frame.seed ^ number << 16)
        again = sample.timestamp + (bits >> 16) % longest
        is_late = bits % _LATE == 0
        if is_late or (bits >> 8) % _DOUBLED == 0:
            heapq.heappush(late, (again, number, sample))
        if not is_late:
            yield sample
    while late:
        yield heapq.heappop(late)[2]


def _shuffled(frame: Frame, samples: Iterator[Sample]) -> Iterator[Sample]:
    """Within blocks, so that memory is bounded."""
    number = 0
    while block := list(islice(samples, BLOCK)):
        yield from frame.dice('shuffled', number).shuffled(block)
        number += 1
