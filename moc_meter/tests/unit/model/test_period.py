# SPDX-License-Identifier: Apache-2.0
import datetime

from hypothesis import given
from hypothesis import strategies as st

from moc_meter.model import period

instants = st.datetimes(min_value=datetime.datetime(1960, 1, 1),
                        max_value=datetime.datetime(2100, 1, 1),
                        timezones=st.just(datetime.UTC))


@given(instants)
def test_an_instant_and_its_microseconds_are_the_same(
        moment: datetime.datetime) -> None:
    assert period.instant(period.microseconds(moment)) == moment


@given(instants, st.sampled_from([period.HOUR, period.DAY]))
def test_floor_and_ceiling_enclose_an_instant_by_one_step(
        moment: datetime.datetime, step: datetime.timedelta) -> None:
    floor, ceiling = (period.floor(moment, step),
                      period.ceiling(moment, step))
    assert floor <= moment <= ceiling
    assert ceiling - floor in (step, datetime.timedelta(0))


def test_a_day_begins_at_midnight_in_utc() -> None:
    evening = datetime.datetime(2026, 3, 1, 23, 59, tzinfo=datetime.UTC)
    assert period.floor(evening, period.DAY) == datetime.datetime(
        2026, 3, 1, tzinfo=datetime.UTC)
