# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest

from moc_meter.tests.perf import frame, report
from moc_meter.tests.perf.databases import Databases
from moc_meter.tests.perf.frame import Bound, Figure, Setting, Side, Target

SETTING = Setting(databases=Databases(), rows=['1M'], turns=3)


def figure(name: str, *values: float) -> Figure:
    return Figure(name=name, unit='ms', values=values)


def lines(bound: Bound, figures: Iterable[Figure]) -> str:
    target = Target(name='T0', title='of a test', bounds=[bound],
                    figures=lambda _: figures)
    return list(report.lines(frame.measure(target, SETTING)))[-1].strip()


def test_a_ratio_is_of_medians_and_its_spread_of_the_turns_beside() -> None:
    said = lines(Bound(of='ours', by='theirs', least=2),
                 [figure('ours', 8, 6, 7), figure('theirs', 2, 3, 4)])
    assert said == 'ours / theirs: 2.33 (1.75 … 4), target ≥ 2: holds'


def test_a_bound_of_a_figure_has_its_unit() -> None:
    said = lines(Bound(of='ours', most=3), [figure('ours', 4, 5)])
    assert said == 'ours: 4.5 ms (4 … 5), target ≤ 3 ms: MISSED'


@pytest.mark.parametrize('figures', [
    [], [figure('ours', 1)], [figure('theirs', 1)],
    [figure('ours', 1), figure('theirs', 0)]])
def test_what_did_not_run_or_did_nothing_is_not_measured(
        figures: list[Figure]) -> None:
    said = lines(Bound(of='ours', by='theirs', most=0.5), figures)
    assert said == 'ours / theirs: –, target ≤ 0.5: not measured'


def test_sides_take_turns_and_their_first_ones_are_not_counted() -> None:
    done: list[str] = []
    numbers = itertools.count()

    def side(name: str) -> Side:
        def turn() -> int:
            done.append(name)
            return next(numbers)

        return Side(name=name, unit='turns', turn=turn,
                    figure=lambda count, _: count)

    figures = frame.alternate(
        [side('ours'), side('theirs')], SETTING)
    assert done == ['ours', 'theirs'] * 4
    assert [figure.values for figure in figures] == [[2, 4, 6], [3, 5, 7]]
