# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moc_meter import errors
from moc_meter.collector.flood import ALLOWED, WINDOW, FloodGate


def test_a_tenth_of_the_window_may_be_bad() -> None:
    gate = FloodGate()
    for _ in range(10 * WINDOW // 10):
        gate.passed(9)
        gate.failed()


def test_one_more_than_allowed_is_a_flood() -> None:
    gate = FloodGate()
    for _ in range(ALLOWED):
        gate.failed()
    with pytest.raises(errors.QuarantineFlood, match='bad=101'):
        gate.failed()


def test_after_a_flood_the_count_begins_anew() -> None:
    gate = FloodGate()
    for _ in range(2):
        for _ in range(ALLOWED):
            gate.failed()
        with pytest.raises(errors.QuarantineFlood):
            gate.failed()


@given(st.lists(st.booleans(), min_size=1, max_size=200).map(
    lambda some: some * 15))
def test_only_the_last_thousand_samples_are_judged(bad: list[bool]) -> None:
    gate = FloodGate()
    for place, one in enumerate(bad):
        if not one:
            gate.passed(1)
        elif sum(bad[max(0, place + 1 - WINDOW):place + 1]) <= ALLOWED:
            gate.failed()
        else:
            with pytest.raises(errors.QuarantineFlood):
                gate.failed()
            return
