# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import dataclasses

from moc_meter.tests.perf import crowd
from moc_meter.tests.perf.frame import judged
from moc_meter.tests.perf.web import Load

GOOD = Load(rate=1000, errors=0, p50=1, p99=1)
TURN = crowd._Turn(few=GOOD, many=GOOD, alone=2000, with_ingest=GOOD,
                   beside=2000)


def holds(*turns: crowd._Turn) -> list[bool | None]:
    figures = {figure.name: figure for figure in crowd._come_to(turns)}
    return [judged(bound, figures).holds for bound in crowd.T9.bounds]


def test_an_error_in_one_turn_of_three_is_one_too_many() -> None:
    once = dataclasses.replace(GOOD, errors=1)
    assert holds(TURN, TURN, TURN) == [True] * 5
    for bad in (dataclasses.replace(TURN, few=once),
                dataclasses.replace(TURN, many=once),
                dataclasses.replace(TURN, with_ingest=once)):
        assert holds(TURN, bad, TURN) == [False, *[True] * 4]
