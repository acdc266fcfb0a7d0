# SPDX-License-Identifier: Apache-2.0
import dataclasses
import datetime
import sys
from decimal import Decimal

import pytest

from moc_meter import errors
from moc_meter.model import meter
from moc_meter.model.admission import Admission
from moc_meter.model.sample import MeterKind, Sample

NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
ONE = Sample(source='region-1', message_id='n-1', timestamp=NOON,
             meter='volume.size', kind=MeterKind.GAUGE, unit='GiB',
             volume=Decimal(10), resource_id='v-1')
DEFINITIONS = meter.load()
LENIENT = Admission(definitions=DEFINITIONS)
STRICT = Admission(definitions=DEFINITIONS, strict=True)


def test_a_sample_as_its_meter_is_defined_enters_as_it_is() -> None:
    assert STRICT.admit(ONE, NOON) is ONE


@pytest.mark.parametrize(('change', 'complaint'), [
    ({'meter': ''}, "field='meter'"),
    ({'resource_id': ''}, "field='resource_id'"),
    ({'source': ''}, "field='source'"),
    ({'message_id': ''}, "field='message_id'"),
    ({'resource_id': 'a\0b'}, 'NUL'),
    ({'project_id': 'p' * 256}, 'too long'),
    ({'user_id': '\ud800'}, 'Unicode'),
    ({'metadata': {'a': 'b\0'}}, 'NUL'),
    ({'metadata': {'a': float('nan')}}, 'finite'),
    ({'metadata': {'a': 'x' * 300_000}}, 'too large'),
    ({'metadata': {'a': [0] * 4097}}, 'too much'),
    ({'metadata': {'k' * 130_000: [0] * 60_000}}, 'too much'),
    ({'metadata': {'k' * 130_000: [0] * 10}}, 'too much'),
    ({'volume': Decimal(10) ** 20}, '10**20'),
    ({'volume': Decimal('99999999999999999999.9999999996')}, '10**20'),
    ({'volume': Decimal('1E+999999')}, '10**20'),
    ({'volume': Decimal(-1)}, 'negative'),
    ({'timestamp': NOON + datetime.timedelta(seconds=301)}, 'future'),
    ({'timestamp': datetime.datetime(1969, 12, 31, tzinfo=datetime.UTC)},
     '1970'),
    ({'interval': (NOON, NOON - datetime.timedelta(1))}, 'interval'),
    ({'sequence': -1}, 'sequence')])
def test_what_can_never_be_right_is_refused(change: dict[str, object],
                                            complaint: str) -> None:
    wrong = dataclasses.replace(ONE, **change)  # type: ignore[arg-type]
    with pytest.raises(errors.InvalidSample) as refusal:
        LENIENT.admit(wrong, NOON)
    assert complaint in str(refusal.value)


def test_metadata_nested_without_end_is_refused() -> None:
    deep: dict[str, object] = {}
    for _ in range(20_000):
        deep = {'a': deep}
    with pytest.raises(errors.InvalidSample, match='deeply'):
        LENIENT.admit(dataclasses.replace(ONE, metadata=deep), NOON)


@pytest.mark.parametrize('change', [
    {'unit': 'furlong'}, {'kind': MeterKind.DELTA}, {'meter': 'nobody'}])
def test_what_its_meter_does_not_have_is_refused_only_when_strict(
        change: dict[str, object]) -> None:
    other = dataclasses.replace(ONE, **change)  # type: ignore[arg-type]
    assert LENIENT.admit(other, NOON) == other
    with pytest.raises(errors.InvalidSample, match='meter='):
        STRICT.admit(other, NOON)


def test_a_unit_that_the_meter_had_before_is_its_unit() -> None:
    older = dataclasses.replace(ONE, unit='GB')
    assert STRICT.admit(older, NOON) == older


@pytest.mark.parametrize('volume', [
    '99999999999999999999.999999999', '-99999999999999999999.999999999'])
def test_the_largest_volumes_enter_to_their_last_digit(volume: str) -> None:
    large = dataclasses.replace(ONE, meter='nobody', volume=Decimal(volume))
    assert LENIENT.admit(large, NOON) is large


def test_more_than_nine_digits_are_rounded_and_it_is_said() -> None:
    long = dataclasses.replace(ONE, volume=Decimal('1.0000000015'))
    admitted = LENIENT.admit(long, NOON)
    assert admitted.volume == Decimal('1.000000002')
    assert admitted.rounded


def test_a_timestamp_at_the_end_of_the_tolerance_enters() -> None:
    soon = dataclasses.replace(
        ONE, timestamp=NOON + datetime.timedelta(seconds=300))
    assert LENIENT.admit(soon, NOON) == soon


def test_metadata_that_lie_where_others_lay_are_looked_at_all_the_same(
        ) -> None:
    for number in range(5000):
        LENIENT.admit(dataclasses.replace(
            ONE, metadata={'number': number}), NOON)
    for _ in range(5000):
        with pytest.raises(errors.InvalidSample, match='NUL'):
            LENIENT.admit(dataclasses.replace(
                ONE, metadata={'text': 'a\0b'}), NOON)


def test_who_posts_much_metadata_does_not_fill_the_memory_with_it() -> None:
    many: list[dict[str, object]] = [
        {'few': number} for number in range(3000)]
    many += [{f'many {number}': [{} for _ in range(1000)]}
             for number in range(5)]
    free = [sys.getrefcount(one) for one in many]
    for number in range(len(many)):
        LENIENT.admit(dataclasses.replace(ONE, metadata=many[number]), NOON)
    held = [sys.getrefcount(one) for one in many]
    assert held[-5:] == free[-5:]
    assert sum(held) - sum(free) <= 1024
