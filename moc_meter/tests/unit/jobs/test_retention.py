# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import datetime
import threading
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from moc_meter.jobs import retention
from moc_meter.model import period
from moc_meter.model.query import Outcome, RetentionLevel, Selection
from moc_meter.model.sample import MeterKind, Sample
from moc_meter.tests.contract.fakes import FakeStore

NOW = datetime.datetime(2026, 3, 4, 12, tzinfo=datetime.UTC)


@given(now=st.datetimes(datetime.datetime(2020, 1, 1),
                        datetime.datetime(2030, 1, 1),
                        timezones=st.just(datetime.UTC)),
       days=st.integers(1, 3650))
def test_a_sample_is_kept_as_long_as_said_and_less_than_a_day_more(
        now: datetime.datetime, days: int) -> None:
    keep = days * period.DAY
    border = retention.border(keep, now)
    assert border == period.floor(border, period.DAY)
    assert keep <= now - border < keep + period.DAY


def test_samples_that_are_too_old_are_dropped_and_no_other() -> None:
    store = FakeStore()
    samples = [Sample(
        source='s', message_id=str(days), timestamp=NOW - days * period.DAY,
        meter='m', kind=MeterKind.GAUGE, unit='', volume=Decimal(1),
        resource_id='r') for days in range(5)]
    store.write(samples, NOW)
    retention.drop(store, RetentionLevel.SAMPLES, 2 * period.DAY, 'test', NOW,
                   threading.Event())
    assert [one.sample for one in store.samples(Selection(), 9)
            ] == samples[:3]
    assert store.write(samples[3:], NOW).outcomes == (Outcome.EXPIRED,) * 2
