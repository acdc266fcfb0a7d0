# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import datetime
import operator
import zoneinfo
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moc_meter import errors
from moc_meter.client import times

BERLIN = zoneinfo.ZoneInfo('Europe/Berlin')
#: The day after clocks were put forward in Berlin.
NOW = datetime.datetime(2026, 3, 30, 10, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
MICROSECOND = datetime.timedelta(microseconds=1)

ZONES = st.sampled_from([zoneinfo.ZoneInfo(name) for name in (
    'UTC', 'Europe/Berlin', 'America/New_York', 'America/Sao_Paulo',
    'Africa/Cairo', 'Asia/Kathmandu', 'Australia/Lord_Howe',
    'America/Havana', 'Pacific/Chatham')])
#: Half of them within two days of a change of some zone's clocks.
INSTANTS = st.datetimes(
    datetime.datetime(2000, 1, 1), datetime.datetime(2035, 1, 1),
    timezones=st.just(datetime.UTC)) | st.builds(
        operator.add, st.sampled_from([
            datetime.datetime.fromisoformat(f'{day}T00:00Z') for day in (
                '2026-03-28', '2026-10-24', '2026-03-07', '2026-10-31',
                '2018-11-03', '2018-02-17', '2026-04-23', '2026-10-29',
                '2026-04-04', '2026-10-03')]),
        st.timedeltas(datetime.timedelta(0), datetime.timedelta(days=2)))


def period(**asked: Any) -> times.Period:
    return times.period(now=NOW, zone=BERLIN, **asked)


def both(asked: times.Period) -> tuple[datetime.datetime, datetime.datetime]:
    assert asked.start is not None
    assert asked.end is not None
    return asked.start, asked.end


def bounds(**asked: Any) -> list[str]:
    found = period(**asked)
    return [moment.astimezone(BERLIN).strftime('%Y-%m-%d %H:%M')
            for moment in (found.start, found.end) if moment]


@pytest.mark.parametrize(('asked', 'told'), [
    ({'month': '2026-02'}, ['2026-02-01 00:00', '2026-03-01 00:00']),
    ({'month': '2025-12'}, ['2025-12-01 00:00', '2026-01-01 00:00']),
    ({'last_month': True}, ['2026-02-01 00:00', '2026-03-01 00:00']),
    ({'today': True}, ['2026-03-30 00:00', '2026-03-31 00:00']),
    ({'yesterday': True}, ['2026-03-29 00:00', '2026-03-30 00:00']),
    ({'start': 'today', 'end': 'now'}, ['2026-03-30 00:00',
                                        '2026-03-30 12:00']),
    ({'start': 'yesterday'}, ['2026-03-29 00:00']),
    ({'start': 'monday'}, ['2026-03-30 00:00']),
    ({'start': 'Tuesday'}, ['2026-03-24 00:00']),
    ({'start': '-7d'}, ['2026-03-23 12:00']),
    ({'start': '-2w'}, ['2026-03-16 12:00']),
    ({'start': '-1mo'}, ['2026-02-28 12:00']),
    ({'start': '-2y'}, ['2024-03-30 12:00']),
    ({'start': '-36h'}, ['2026-03-28 23:00']),
    ({'start': '-90min'}, ['2026-03-30 10:30']),
    ({'end': '2026-03-01'}, ['2026-03-01 00:00']),
    ({'start': '2026-03-01T14:30'}, ['2026-03-01 14:30']),
    ({'start': '2026-03-01 14:30:15.5'}, ['2026-03-01 14:30']),
    ({'start': '2026-03-01T14:30-05:00'}, ['2026-03-01 20:30']),
    ({'start': '2026-03-01T14:30Z'}, ['2026-03-01 15:30']),
    ({}, [])])
def test_what_is_meant(asked: dict[str, Any], told: list[str]) -> None:
    assert bounds(**asked) == told


def test_a_day_may_have_23_or_25_hours() -> None:
    assert [last - first for first, last in (
        both(period(yesterday=True)),
        both(period(start='2025-10-26', end='2025-10-27')))] == [
            23 * HOUR, 25 * HOUR]


def test_and_so_may_today() -> None:
    noon = datetime.datetime(2026, 3, 29, 12, tzinfo=datetime.UTC)
    start, end = both(times.period(now=noon, zone=BERLIN, today=True))
    assert end - start == 23 * HOUR


def test_bounds_are_in_utc_and_the_zone_is_named() -> None:
    found = period(start='2026-03-01T14:30')
    assert found.start == datetime.datetime(2026, 3, 1, 13, 30,
                                            tzinfo=datetime.UTC)
    assert found.start.tzinfo is datetime.UTC
    assert found.zone_name == 'Europe/Berlin'


@pytest.mark.parametrize(('asked', 'complaint'), [
    ({'start': 'soon'}, r"--start', value='soon', allowed=.*'-7d'"),
    ({'end': '2026-02-30'}, "--end', value='2026-02-30', allowed="),
    ({'start': '1740000000'}, "value='1740000000', allowed="),
    ({'start': '-7'}, "value='-7', allowed="),
    ({'start': '-7m'}, "value='-7m', allowed="),
    ({'start': ''}, "value='', allowed="),
    ({'month': '2026-13'}, r"--month', value='2026-13', .*'2026-03'"),
    ({'month': 'March'}, "value='March', allowed="),
    ({'month': '٢٠٢٦-03'}, "value='٢٠٢٦-03', allowed="),
    ({'month': '2026-03', 'end': 'now'}, r"'--month', '--start'"),
    ({'today': True, 'yesterday': True}, r"'--today', '--yesterday'"),
    ({'start': 'now', 'end': '-1d'}, '--start must lie before --end'),
    ({'start': 'today', 'end': 'today'}, '--start must lie before --end'),
    ({'start': '2026-03-29T02:30'}, r'clocks never .*T03:30:00\+02:00'),
    ({'start': '2025-10-26T02:30'}, r'twice: .*T02:30:00\+01:00'),
    ({'start': '0001-01-01'}, 'only the years'),
    ({'start': '-999999999y'}, 'only the years'),
    ({'month': '9999-12'}, "only the years .*month='9999-12'")])
def test_a_refusal_names_what_is_wrong_and_what_is_taken(
        asked: dict[str, Any], complaint: str) -> None:
    with pytest.raises(errors.InvalidQuery, match=complaint):
        period(**asked)


def test_an_instant_of_any_option_is_read_alike() -> None:
    assert times.instant('--at', '-7d', NOW, BERLIN) == period(
        start='-7d').start
    with pytest.raises(errors.InvalidQuery, match="option='--at'"):
        times.instant('--at', '-999999999y', NOW, BERLIN)


@pytest.mark.parametrize('name', ['', 'Europe', '../etc/passwd', 'Mars/X',
                                  'a\0b', 'x' * 5000])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(errors.InvalidQuery, match="option='--timezone'"):
        times.zone(name)


def test_a_zone_that_is_nearly_right_is_named() -> None:
    with pytest.raises(errors.InvalidQuery, match=r"allowed=\('Asia/Tokyo'"):
        times.zone('asia/tokio')


@given(INSTANTS, ZONES)
def test_an_instant_of_today_has_todays_date(
        now: datetime.datetime, zone: zoneinfo.ZoneInfo) -> None:
    start, end = both(times.period(now=now, zone=zone, today=True))
    day = now.astimezone(zone).date()
    assert start <= now < end
    for moment in (start, end - MICROSECOND):
        assert moment.astimezone(zone).date() == day
    assert (start - MICROSECOND).astimezone(zone).date() < day


@given(INSTANTS, ZONES)
def test_yesterday_ends_where_today_begins(
        now: datetime.datetime, zone: zoneinfo.ZoneInfo) -> None:
    before = times.period(now=now, zone=zone, yesterday=True)
    assert before.end == times.period(now=now, zone=zone, today=True).start


@given(INSTANTS, ZONES)
def test_the_last_month_is_the_month_by_its_name(
        now: datetime.datetime, zone: zoneinfo.ZoneInfo) -> None:
    found = times.period(now=now, zone=zone, last_month=True)
    start, end = both(found)
    name = start.astimezone(zone).strftime('%Y-%m')
    assert found == times.period(now=now, zone=zone, month=name)
    assert end.astimezone(zone).strftime('%Y-%m') == (
        now.astimezone(zone).strftime('%Y-%m'))


@given(INSTANTS, ZONES)
def test_an_instant_with_its_offset_is_read_as_it_is_written(
        now: datetime.datetime, zone: zoneinfo.ZoneInfo) -> None:
    written = now.astimezone(zone).isoformat()
    assert times.instant('--at', written, NOW, BERLIN) == now


@given(INSTANTS, ZONES, st.timedeltas(HOUR / 7, 300 * 24 * HOUR),
       st.sampled_from(times.UNITS))
def test_runs_are_the_period_cut_where_its_units_begin(
        start: datetime.datetime, zone: zoneinfo.ZoneInfo,
        length: datetime.timedelta, unit: str) -> None:
    end = start + length
    cuts = [start]
    for run in times.runs(start, end, zone, unit):
        assert run.start == cuts[-1]
        while cuts[-1] < run.end:
            cuts.append(min(cuts[-1] + datetime.timedelta(
                seconds=run.seconds), run.end))
    assert cuts[-1] == end
    names = [named(cut, zone, unit) for cut in cuts[:-1]]
    assert sorted(set(names)) == names
    for cut, name in zip(cuts[1:-1], names, strict=False):
        assert named(cut - MICROSECOND, zone, unit) == name


def named(moment: datetime.datetime, zone: zoneinfo.ZoneInfo, unit: str
          ) -> str:
    shape = {'day': '%Y-%m-%d', 'week': '%G-%V', 'month': '%Y-%m'}[unit]
    return moment.astimezone(zone).strftime(shape)


def test_a_year_of_days_is_five_runs_where_clocks_change() -> None:
    start, end = both(period(start='2025-01-01', end='2026-01-01'))
    assert [run.seconds // 3600 for run in times.runs(
        start, end, BERLIN, 'day')] == [24, 23, 24, 25, 24]
