# SPDX-License-Identifier: Apache-2.0
"""A slow plugin has its share of the time; one that hangs: test_host.py."""

from __future__ import annotations

import itertools

import pytest

from moc_meter import errors
from moc_meter.agent.notification.patience import Patience


class Bench:
    """One plugin that takes some seconds for each answer."""

    def __init__(self) -> None:
        self.now = 0.0
        self.takes = 0.9
        self.patience = Patience(1.0, lambda: self.now)

    def answer(self) -> str:
        self.now += self.takes
        return 'answer'

    def ask(self) -> bool:
        """Whether it was asked, and not left out."""
        try:
            return self.patience.run(
                self.patience.ask('slow', self.answer)) == 'answer'
        except errors.PluginHangs:
            return False


def test_a_plugin_that_is_always_slow_is_left_out() -> None:
    bench = Bench()
    assert sum(bench.ask() for _ in range(20)) == 5
    assert bench.patience.left_out == {'slow'}


def test_a_plugin_that_is_slow_and_fails_is_left_out_too() -> None:
    bench = Bench()

    def fail() -> None:
        bench.answer()
        raise KeyError

    for _ in range(5):
        with pytest.raises(KeyError):
            bench.patience.run(bench.patience.ask('slow', fail))
    assert bench.patience.left_out == {'slow'}


def test_slow_answers_now_and_then_are_borne() -> None:
    bench = Bench()
    for _ in range(100):
        assert bench.ask()
        bench.now += 3.0


def test_quick_answers_may_take_all_the_time() -> None:
    bench = Bench()
    bench.takes = 0.05
    assert all(bench.ask() for _ in range(1000))


def test_who_stays_slow_is_tried_again_after_growing_pauses() -> None:
    bench = Bench()
    asked = []
    for start in range(2000):
        bench.now = max(bench.now, start)
        while bench.ask():
            asked.append(bench.now)
    gaps = [after - before for before, after in itertools.pairwise(asked)
            if after - before > 1]
    assert [round(gap, -1) for gap in gaps] == [60, 120, 240, 480, 960]


def test_a_quick_answer_makes_good() -> None:
    bench = Bench()
    while bench.ask():
        pass
    bench.now += 60
    bench.takes = 0.0
    assert bench.ask()
    assert not bench.patience.absent
