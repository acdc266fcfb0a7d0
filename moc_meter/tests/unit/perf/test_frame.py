# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

from moc_meter.tests.perf.frame import Ratio, Side, Target, measure


def target(log: list[str]) -> Target:
    """One side and one reference, which only say what they are asked."""
    def said(what: str) -> Callable[[], int]:
        def turn() -> int:
            log.append(what)
            return 1
        return turn

    @contextlib.contextmanager
    def sides() -> Iterator[Sequence[Side]]:
        yield [Side(name=name, turn=said(name), ready=lambda: None)
               for name in ('ours', 'theirs')]
        log.append('closed')

    return Target(name='T0', title='say a word', unit='words', sides=sides,
                  least={'theirs': 0, 'of a stranger': 2})


def test_the_sides_take_turns_and_the_first_turn_does_not_count() -> None:
    log: list[str] = []
    result = measure(target(log), turns=2)
    assert log == ['ours', 'theirs'] * 3 + ['closed']
    assert {name: len(rates) for name, rates in result.rates.items()} == {
        'ours': 2, 'theirs': 2}


def test_what_did_not_run_is_not_measured() -> None:
    theirs, strangers = measure(target([]), turns=1).ratios
    assert theirs.holds
    assert strangers.holds is None
    assert str(strangers) == 'of a stranger: not measured (target 2)'


def test_a_ratio_below_the_target_is_missed() -> None:
    missed = Ratio(reference='COPY', least=0.45, measured=0.4499,
                   lowest=0.4, highest=0.5)
    assert missed.holds is False
    assert 'MISSED' in str(missed)
