# SPDX-License-Identifier: Apache-2.0
import datetime
import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moc_meter.model import quantity, statistics
from moc_meter.model.statistics import Statistics

NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
figures = st.lists(st.tuples(
    st.integers(0, 10**6).map(
        lambda seconds: NOON + datetime.timedelta(seconds=seconds)),
    st.decimals(-10**19, 10**19, places=9, allow_nan=False)), min_size=1,
    max_size=30)


@given(figures, st.data())
def test_cutting_and_joining_changes_nothing(
        samples: list[tuple[datetime.datetime, Decimal]],
        data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(samples)))
    parts = [Statistics.of(samples[:cut]), Statistics.of(samples[cut:])]
    joined = statistics.merge(part for part in reversed(parts) if part)
    assert joined == Statistics.of(samples)


@given(figures)
def test_mean_and_deviation_follow_from_exact_sums(
        samples: list[tuple[datetime.datetime, Decimal]]) -> None:
    volumes = [volume for _, volume in samples]
    total = quantity.total(volumes)
    squares = quantity.total(quantity.multiply(v, v) for v in volumes)
    mean = sum(map(Fraction, volumes), Fraction(0)) / len(volumes)
    variance = sum(((Fraction(v) - mean) ** 2 for v in volumes),
                   Fraction(0)) / len(volumes)
    assert float(statistics.mean(total, len(volumes))) == pytest.approx(
        float(mean), rel=1e-15)
    found = statistics.deviation(total, squares, len(volumes))
    assert float(found) == pytest.approx(math.sqrt(variance), rel=1e-12)


def test_equal_volumes_deviate_by_nothing() -> None:
    tenth = Decimal('0.1')
    assert statistics.deviation(tenth * 10, tenth * tenth * 10, 10) == 0


def test_nothing_has_no_statistics() -> None:
    assert Statistics.of([]) is None
