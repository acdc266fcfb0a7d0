# SPDX-License-Identifier: Apache-2.0

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moc_meter.api.v2 import timestamp

HALF_PAST = datetime.datetime(2015, 3, 1, 11, 30, tzinfo=datetime.UTC)


@pytest.mark.parametrize(('text', 'instant'), [
    ('2015-03-01', HALF_PAST.replace(hour=0, minute=0)),
    ('2015-03-01T11', HALF_PAST.replace(minute=0)),
    ('2015-03-01T11:30', HALF_PAST),
    ('2015-03-01 11:30:05', HALF_PAST.replace(second=5)),
    ('2015-03-01T11:30:05.25', HALF_PAST.replace(second=5,
                                                 microsecond=250000)),
    ('2015-03-01T11:30:05.1234567', HALF_PAST.replace(second=5,
                                                      microsecond=123456)),
    ('2015-03-01T11:30Z', HALF_PAST),
    ('2015-03-01T12:30+01', HALF_PAST),
    ('2015-03-01T06:00:00-0530', HALF_PAST),
    ('2015-03-01T13:15:00+01:45', HALF_PAST),
])
def test_calendar_dates_are_read_and_converted_to_utc(
        text: str, instant: datetime.datetime) -> None:
    assert timestamp.parse(text) == instant


@pytest.mark.parametrize('text', [
    '', '1425200000', '1425200000.5', 'yesterday', '2015-03', '20150301',
    '2015-W09-7', '2015-02-29', '2015-03-01T24:00', '2015-03-01T11:30:60',
    '2015-03-01T11:30+24:00', '2015-03-01T11:30+01:60', '2015-03-01Z',
    '0001-01-01T00:00+01:00', '2015-03-01T11:30 Z', '٢٠١٥-03-01',
])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match='invalid timestamp format'):
        timestamp.parse(text)


def test_a_fraction_is_shown_only_where_there_is_one() -> None:
    assert timestamp.show(HALF_PAST) == '2015-03-01T11:30:00'
    assert timestamp.show(HALF_PAST.replace(microsecond=10)) == (
        '2015-03-01T11:30:00.000010')


@given(st.datetimes(timezones=st.just(datetime.UTC)))
def test_what_is_shown_is_read_back(instant: datetime.datetime) -> None:
    assert timestamp.parse(timestamp.show(instant)) == instant
