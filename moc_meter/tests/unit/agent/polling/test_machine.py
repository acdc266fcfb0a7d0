# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moc_meter.agent.polling import machine

SECONDS = {'user': 0.1, 'nice': 0.2, 'system': 0.3, 'idle': 1.4,
           'iowait': 0.01, 'irq': 0.0, 'softirq': 0.07, 'steal': 0.02,
           'guest': 0.1, 'guest_nice': 0.05}


def test_hundredths_of_seconds_are_whole_nanoseconds() -> None:
    assert machine.cpu_times(SECONDS) == (690_000_000, 2_100_000_000)


@given(st.integers(0, 10 ** 12))
def test_no_count_of_clock_ticks_loses_a_nanosecond(ticks: int) -> None:
    seconds = dict.fromkeys(SECONDS, 0.0) | {'user': ticks / 100}
    assert machine.cpu_times(seconds) == (ticks * 10 ** 7,) * 2


@given(st.integers(0, 10 ** 18), st.integers(1, 10 ** 18))
def test_a_share_is_between_nothing_and_all(part: int, more: int) -> None:
    share = machine.percent(part, part + more)
    assert share is not None
    assert 0 <= share <= 100
    assert abs(Fraction(share) - Fraction(100 * part, part + more)
               ) < Fraction(1, 10 ** 20)


@pytest.mark.parametrize(('part', 'whole'), [(-1, 10), (11, 10), (0, 0)])
def test_counters_that_went_back_have_no_share(part: int,
                                               whole: int) -> None:
    assert machine.percent(part, whole) is None


def test_half_is_fifty() -> None:
    assert machine.percent(1, 2) == Decimal(50)


def test_a_device_that_is_mounted_twice_is_one_file_system() -> None:
    assert machine.mount_points([
        SimpleNamespace(device='/dev/vda1', mountpoint='/'),
        SimpleNamespace(device='/dev/vdb', mountpoint='/srv'),
        SimpleNamespace(device='/dev/vda1', mountpoint='/etc/hosts')]) == {
        'vda1': '/', 'vdb': '/srv'}
