# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import datetime
import json
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moc_meter import errors
from moc_meter.agent.notification import message

NOON = datetime.datetime(2026, 3, 1, 12, 0, 0, 250000, datetime.UTC)


def flat(**changes: Any) -> dict[str, Any]:
    return {'message_id': 'n-1', 'event_type': 'volume.create.end',
            'publisher_id': 'volume.h1', 'priority': 'INFO',
            'timestamp': '2026-03-01 12:00:00.250000',
            '_context_user_id': 'u-1', '_context_auth_token': 'secret',
            'payload': {'volume_id': 'v-1'}} | changes


def test_both_envelopes_hold_the_same_notification() -> None:
    second = {'oslo.version': '2.0', 'oslo.message': json.dumps(flat())}
    for travelling in (flat(), second):
        assert message.flat(json.dumps(travelling).encode()) == flat()


@pytest.mark.parametrize('content', [
    b'', b'{', b'[]', b'null', b'\xff', b'[' * 100_000,
    b'{"oslo.version": "2.0", "oslo.message": "{"}',
    b'{"oslo.version": "2.0", "oslo.message": {}}',
    b'{"oslo.version": "2.0", "oslo.message": "7"}'])
def test_what_is_no_notification_is_refused(content: bytes) -> None:
    with pytest.raises(errors.InvalidMessage):
        message.flat(content)


@pytest.mark.parametrize('priority', ['INFO', 'info', 'Info', 'SAMPLE'])
def test_what_is_said_in_passing_is_metered(priority: str) -> None:
    assert message.to_notification('region-1', flat(priority=priority))


@pytest.mark.parametrize('changes', [
    {'priority': 'ERROR'}, {'priority': 'warn'}, {'priority': None},
    {'priority': 7}, {'payload': None}, {'payload': 'text'},
    {'payload': []}, {'event_type': None}, {'event_type': 7}])
def test_of_everything_else_nothing_is_metered(changes: dict[str, Any]
                                               ) -> None:
    assert message.to_notification('region-1', flat(**changes)) is None


@pytest.mark.parametrize('changes', [
    {'timestamp': None}, {'timestamp': ''}, {'timestamp': 'yesterday'},
    {'timestamp': 1772366400}, {'message_id': None}, {'message_id': ''},
    {'message_id': 7}])
def test_a_notification_without_an_instant_or_an_id_is_refused(
        changes: dict[str, Any]) -> None:
    with pytest.raises(errors.InvalidMessage):
        message.to_notification('region-1', flat(**changes))


def test_a_token_of_the_context_is_left_behind() -> None:
    found = message.to_notification('region-1', flat())
    assert found is not None
    assert 'secret' not in found.context.values()
    assert found.context['user_id'] == 'u-1'


@pytest.mark.parametrize(('since', 'until', 'seconds'), [
    ('2026-03-01 11:00:00', '2026-03-01T12:00:00.000001Z', '3600.000001'),
    ('2026-03-01 12:00:00', '2026-03-01 11:59:59', '-1'),
    ('2026-03-01 12:00:00', '', None), (None, '2026-03-01 12:00:00', None)])
def test_the_time_between_two_instants_is_exact(
        since: object, until: object, seconds: str | None) -> None:
    assert message.seconds(since, until) == (seconds and Decimal(seconds))


@pytest.mark.parametrize('payload', [{}, {'part': None}, {'part': {}}])
def test_a_part_that_is_absent_is_empty(payload: dict[str, Any]) -> None:
    assert message.part(payload, 'part') == {}


@pytest.mark.parametrize('other', [7, '', 'text', [], False])
def test_a_part_that_is_no_object_is_refused(other: object) -> None:
    with pytest.raises(errors.InvalidSample):
        message.part({'part': other}, 'part')


@pytest.mark.parametrize('spelling', [
    '2026-03-01 12:00:00.250000', '2026-03-01T12:00:00.250000',
    '2026-03-01 12:00:00.25', '2026-03-01T12:00:00.250000Z',
    '2026-03-01 12:00:00.250000+00:00', '2026-03-01T14:00:00.250+02:00',
    '2026-03-01T06:30:00.250000-05:30'])
def test_an_instant_is_read_in_every_spelling(spelling: str) -> None:
    found = message.instant(spelling)
    assert found == NOON
    assert found.utcoffset() == datetime.timedelta(0)


@pytest.mark.parametrize('spelling', [
    '', None, 0, 1772366400.25, True, '2026-03-01', '2026-02-30 12:00:00',
    '2026-W09-7T12:00:00', '20260301T120000', '12:00:00',
    '0001-01-01T00:00:00+12:00', '2026-05-1510: 24: 56.285975', []])
def test_what_is_no_instant_is_none(spelling: object) -> None:
    assert message.instant(spelling) is None


@pytest.fixture
def tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose own zone is not UTC."""
    with monkeypatch.context() as patch:
        patch.setenv('TZ', 'Asia/Tokyo')
        time.tzset()
        yield
    time.tzset()


def test_an_instant_without_an_offset_is_in_utc_everywhere(tokyo: None
                                                           ) -> None:
    assert message.instant('2026-03-01 12:00:00.25') == NOON


@given(st.datetimes(timezones=st.just(datetime.UTC)))
def test_an_instant_comes_back_to_the_microsecond(
        instant: datetime.datetime) -> None:
    for spelling in (instant.isoformat(), instant.isoformat(' '),
                     instant.replace(tzinfo=None).isoformat()):
        assert message.instant(spelling) == instant


@pytest.mark.parametrize(('value', 'figure'), [
    (0, '0'), (2 ** 63, '9223372036854775808'), ('2048', '2048'),
    ('-0.5', '-0.5'), ('1e3', '1000'), (0.1, '0.1'), (1e22, '1e22'),
    (Decimal('6.985999'), '6.985999')])
def test_a_figure_is_read_exactly(value: object, figure: str) -> None:
    assert message.number(value) == Decimal(figure)


@pytest.mark.parametrize('value', [
    None, True, False, '', ' ', 'ten', 'NaN', 'Infinity', '-inf', '1_000',
    '٣', '1e400', '1e999999999', '9' * 41, 10 ** 40, float('nan'),
    float('inf'), Decimal('NaN'), [], {}, '0x10', '1 '])
def test_what_is_no_finite_number_is_none(value: object) -> None:
    assert message.number(value) is None


@given(st.integers(-10 ** 39, 10 ** 39))
def test_a_figure_in_text_is_the_same_figure(figure: int) -> None:
    assert (message.number(str(figure)) == message.number(figure)
            == Decimal(figure))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_binary_figure_is_read_as_it_was_printed(figure: float) -> None:
    assert message.number(figure) == Decimal(repr(figure))


def described(metadata: object) -> object:
    found = message.to_notification('region-1', flat())
    assert found is not None
    return message.described(found, {'metadata': metadata}, ()).get(
        'user_metadata')


def test_what_the_owner_said_for_metering_is_kept() -> None:
    said = {'metering.foo.bar.baz': 'x' * 300, 'metering.n': 7, 'other': 'y'}
    assert described(said) == {'foo_bar_baz': 'x' * 256, 'n': 7}


@pytest.mark.parametrize('metadata', [[], '', None, {}, [{'key': 'x'}],
                                      {'other': 'y'}])
def test_metadata_without_a_word_for_metering_gives_none(metadata: object
                                                         ) -> None:
    assert described(metadata) is None
