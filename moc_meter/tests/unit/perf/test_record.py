# SPDX-License-Identifier: Apache-2.0
"""The page of what one run has measured."""

from __future__ import annotations

from moc_meter.tests.perf import record, report
from moc_meter.tests.perf.frame import Bound, Figure, Result, Target, judged

RUN = report.Run(
    date='2026-01-02 03:04', commit='0123456789ab+', turns=3, peers=False,
    machine={'CPUs': 2}, rows=['1M', '10M'], usual_rows='10M')
BOUND = Bound(of='ours', most=3)
TARGETS = {name: Target(name=name, title='of a test', bounds=[BOUND],
                        figures=lambda _: []) for name in ('T1', 'T6')}
OURS = Figure(name='ours', unit='ms', values=[4, 5])


def result(name: str) -> Result:
    return Result(target=name, title='of a test', figures=[OURS],
                  verdicts=[judged(BOUND, {'ours': OURS})])


def test_it_says_when_and_on_what_it_was_measured() -> None:
    page = ' '.join(record.page([], TARGETS, RUN))
    said = ('begun 2026-01-02 03:04 UTC, commit ``0123456789ab+``; CPUs 2; on '
            'the sets of samples 1M, 10M, of which 10M is meant')
    assert said in page


def test_all_targets_are_on_it_and_those_of_other_runs_not_measured() -> None:
    page = [*record.page([result('T1')], TARGETS, RUN)]
    assert page.count('     - MISSED') == 1
    assert page.count('     - not measured') == 1
    assert 'Falls short: T1 (ours).' in page
    assert '.. figure:: growth.svg' not in page


def test_the_plot_is_on_it_where_its_target_was_measured() -> None:
    page = [*record.page([result('T6')], TARGETS, RUN)]
    assert '.. figure:: growth.svg' in page
