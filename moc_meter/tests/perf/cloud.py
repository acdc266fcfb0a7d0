# SPDX-License-Identifier: Apache-2.0
"""The samples that are measured with: those of a made-up cloud."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from moc_meter.cmd.truth.over_bus import sample
from moc_meter.messaging import codec
from moc_meter.model.sample import Sample
from moc_meter.truth.forms import SECOND
from moc_meter.truth.world import World

SEED = 7
#: Polled every ten minutes; a poll has more series than a transaction stores
#: samples, so that hardly any is there twice, as where many agents send.
SCALE = 'instances=3000,days=30,step=600'
#: Seconds of its first life that are left out.
_WARM = 86_400
#: Samples of one message.
_MESSAGE = 100


def samples() -> Iterator[Sample]:
    """In order of time, as the collector has them.

    They were in messages: no two share a text or metadata. What lived when
    the cloud began was already there: nearly all series have been seen.
    """
    world = World(SEED, SCALE)
    begun = world.start + _WARM * SECOND
    made = itertools.dropwhile(lambda one: one.timestamp < begun,
                               world.samples())
    while some := list(itertools.islice(made, _MESSAGE)):
        yield from codec.decode(codec.encode(map(sample, some))).samples


def batches(some: Iterable[Sample], size: int) -> list[list[Sample]]:
    left = iter(some)
    return list(iter(lambda: list(itertools.islice(left, size)), []))
