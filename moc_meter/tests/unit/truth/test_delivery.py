# SPDX-License-Identifier: Apache-2.0
"""How samples arrive."""

from __future__ import annotations

import itertools

import pytest

from moc_meter.truth.delivery import ORDERS
from moc_meter.truth.world import World


@pytest.mark.parametrize('order', ORDERS)
def test_every_sample_arrives_and_doubles_are_equal(order: str) -> None:
    for seed in range(5):
        world = World(seed)
        sent = list(world.delivered(order))
        there = {sample.message_id: sample for sample in world.samples()}
        assert len(sent) > len(there)
        assert {sample.message_id for sample in sent} == there.keys()
        assert all(there[sample.message_id] == sample for sample in sent)


def test_some_are_late() -> None:
    first: dict[str, int] = {}
    for sample in World(1).delivered():
        first.setdefault(sample.message_id, sample.timestamp)
    times = list(first.values())
    late = sum(at < latest for at, latest in zip(
        times, itertools.accumulate(times, max), strict=True))
    assert 1 < late < len(times) / 20


def test_shuffled_they_have_no_order() -> None:
    times = [sample.timestamp for sample in World(1).delivered('shuffled')]
    assert sum(before > after for before, after
               in itertools.pairwise(times)) > len(times) / 4


def test_an_order_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match='no such order'):
        World(1).delivered('sorted')
