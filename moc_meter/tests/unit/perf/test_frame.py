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


@pytest.mark.parametrize(('of', 'by'), [
    ('ours', 'Ceilometer'), ('Gnocchi: a day', 'ours'), ('ours, 10M', 'ours'),
    ('ours', 'idle')])
def test_what_was_not_asked_for_or_did_nothing_is_not_measured(
        of: str, by: str) -> None:
    said = lines(Bound(of=of, by=by, most=0.5),
                 [figure('ours', 1), figure('idle', 0)])
    assert said == f'{of} / {by}: –, target ≤ 0.5: not measured'


@pytest.mark.parametrize(('of', 'by'), [
    ('renamed', None), ('renamed', 'ours'), ('ours', 'renamed'),
    ('Ceilometer', 'renamed'), ('ours, 1M', 'ours')])
def test_a_bound_of_what_no_side_of_ours_is_named_is_an_error(
        of: str, by: str | None) -> None:
    with pytest.raises(LookupError, match='T0 has bounds of'):
        lines(Bound(of=of, by=by, most=0.5), [figure('ours', 1)])


def test_a_target_that_fails_leaves_the_others_and_is_told_at_the_end(
        ) -> None:
    def fails(_: Setting) -> Iterable[Figure]:
        raise ValueError('of a test')

    targets = [Target(name=name, title='', bounds=[], figures=figures)
               for name, figures in (('T1', fails), ('T2', lambda _: []))]
    found = frame.measured(targets, SETTING)
    assert next(found).target == 'T2'
    with pytest.raises(ExceptionGroup) as caught:
        next(found)
    [failure] = caught.value.exceptions
    assert str(failure) == 'of a test'
    assert failure.__notes__ == ['of T1']


def test_sides_take_turns_and_their_first_ones_are_not_counted() -> None:
    done: list[str] = []
    numbers = itertools.count()

    def side(name: str, most: int | None = None) -> Side:
        def turn() -> int:
            done.append(name)
            return next(numbers)

        return Side(name=name, unit='turns', turn=turn, most=most,
                    figure=lambda count, _: count)

    figures = frame.alternate(
        [side('ours'), side('theirs')], SETTING)
    assert done == ['ours', 'theirs'] * 4
    assert [figure.values for figure in figures] == [[2, 4, 6], [3, 5, 7]]
    figures = frame.alternate([side('ours'), side('theirs', 1)], SETTING)
    assert done[8:] == ['ours', 'theirs'] * 2 + ['ours'] * 2
    assert [figure.values for figure in figures] == [[10, 12, 13], [11]]
