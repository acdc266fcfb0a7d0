# SPDX-License-Identifier: Apache-2.0
import dataclasses
import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moc_meter import errors
from moc_meter.model import sample
from moc_meter.model.sample import MeterKind, Sample

NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
ONE = Sample(source='region-1', message_id='n-1', timestamp=NOON,
             meter='vcpus', kind=MeterKind.GAUGE, unit='vcpu',
             volume=Decimal('0.1'), resource_id='i-1')


def test_a_derived_id_is_its_own_key() -> None:
    derived = sample.derived_id('n-1', 'vcpus', 'i-1')
    assert dataclasses.replace(ONE, message_id=derived).key.hex == derived


@pytest.mark.parametrize('other', ['N-1', 'n-1 ', 'n-1\u0301', ''])
def test_ids_that_look_alike_have_different_keys(other: str) -> None:
    assert dataclasses.replace(ONE, message_id=other).key != ONE.key


@given(st.one_of(
    st.text(), st.from_regex(r'[0-9a-fA-F ]{31,33}', fullmatch=True),
    st.binary(min_size=16, max_size=16).map(bytes.hex)))
def test_what_is_kept_of_an_id_is_its_key_and_spells_it(spelled: str) -> None:
    key, other_id = sample.kept_id(spelled)
    assert key == sample.key_of(spelled).bytes
    assert spelled == (key.hex() if other_id is None else other_id)


def test_parts_of_an_id_cannot_run_into_each_other() -> None:
    assert sample.derived_id('a', 'bc') != sample.derived_id('ab', 'c')


@pytest.mark.parametrize('volume', ['NaN', 'Infinity', '-Infinity'])
def test_a_volume_that_is_no_number_is_refused(volume: str) -> None:
    with pytest.raises(errors.InvalidSample, match='finite'):
        dataclasses.replace(ONE, volume=Decimal(volume))


def test_a_naive_timestamp_is_refused() -> None:
    with pytest.raises(errors.InvalidSample, match='UTC'):
        dataclasses.replace(ONE, timestamp=datetime.datetime(2026, 3, 1))


@pytest.mark.parametrize('change', [
    {'source': 's'}, {'meter': 'm'}, {'kind': MeterKind.DELTA},
    {'unit': 'u'}, {'resource_id': 'r'}, {'project_id': 'p'},
    {'user_id': 'u'}, {'volume': Decimal(2)},
    {'timestamp': NOON + datetime.timedelta(microseconds=1)},
    {'metadata': {'a': 1}}, {'interval': (NOON, NOON)},
    {'counter_start': NOON}])
def test_everything_that_a_sample_says_is_in_its_content_id(
        change: dict[str, object]) -> None:
    other = dataclasses.replace(ONE, **change)  # type: ignore[arg-type]
    assert sample.content_id(other) != sample.content_id(ONE)


def test_a_content_id_depends_on_what_is_said_not_how() -> None:
    longer = dataclasses.replace(ONE, volume=Decimal('0.100'),
                                 message_id='other')
    assert sample.content_id(longer) == sample.content_id(ONE)
    assert sample.content_id(ONE, place=1) != sample.content_id(ONE)
