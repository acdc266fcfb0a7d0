# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moc_meter import errors
from moc_meter.client import readable
from moc_meter.model import meter

#: The size of every unit that is told, in bytes or in seconds.
BYTES = {'B': 1, 'KiB': 2 ** 10, 'MiB': 2 ** 20, 'GiB': 2 ** 30,
         'TiB': 2 ** 40, 'PiB': 2 ** 50, 'EiB': 2 ** 60, 'ZiB': 2 ** 70,
         'YiB': 2 ** 80}
SECONDS = {'ns': Decimal('1e-9'), 'µs': Decimal('1e-6'),
           'ms': Decimal('1e-3'), 's': Decimal(1), 'min': Decimal(60),
           'h': Decimal(3600), 'd': Decimal(86400)}
VOLUMES = st.decimals(-10 ** 29, 10 ** 29, places=9)


@pytest.mark.parametrize(('volume', 'unit', 'told'), [
    ('0', 'B', '0 B'), ('1023', 'B', '1,023 B'), ('1024', 'B', '1 KiB'),
    ('1048575.9', 'B', '1 MiB'), ('1536', 'MiB', '1.5 GiB'),
    ('0.5', 'GiB', '512 MiB'), ('-2048', 'MiB', '-2 GiB'),
    ('5000', 'B/s', '4.883 KiB/s'), ('0.25', 'B', '0.25 B'),
    ('20480', 'MB', '20,480 MB'), ('3', 'GB', '3 GB'),
    ('274000', 's', '3 d 4 h'), ('3600', 's', '1 h'),
    ('3599.6', 's', '1 h'), ('86399', 'sec', '1 d'),
    ('90', 'second', '1 min 30 s'), ('59.9999', 's', '1 min'),
    ('12.5', 's', '12.5 s'), ('1500', 'ms', '1.5 s'),
    ('0.0015', 's', '1.5 ms'), ('999.99', 'µs', '1 ms'), ('7', 'ns', '7 ns'),
    ('0.4', 'ns', '0.4 ns'), ('0', 'ns', '0 s'), ('-90', 's', '-1 min 30 s'),
    ('7205000000000', 'ns', '2 h'), ('36', 'h', '1 d 12 h'),
    ('1234567.891', 'request', '1,234,568 request'), ('-0', 'vcpu', '0 vcpu'),
    ('12.3456', '%', '12.35 %'), ('4.500', 'vcpu', '4.5 vcpu'),
    ('0.000000001', 'C', '0.000000001 C'), ('3', '', '3')])
def test_how_it_is_told(volume: str, unit: str, told: str) -> None:
    assert readable.quantity(Decimal(volume), unit) == told


def worth(told: str, units: dict[str, Decimal] | dict[str, int]) -> Decimal:
    parts = re.findall(r'([\d.,]+) (\S+)', told)
    size = sum((Decimal(count.replace(',', '')) * units[unit]
                for count, unit in parts), Decimal(0))
    return -size if told.startswith('-') else size


@pytest.mark.parametrize(('volume', 'unit', 'to', 'found'), [
    ('5400000000000', 'ns', 'h', '1.5'), ('1', 'ns', 'h', '0'),
    ('1', 'h', 's', '3600'), ('10', 'min', 'h', '0.166666667'),
    ('1536', 'MiB', 'GiB', '1.5'), ('1.5', 'GiB', 'B', '1610612736'),
    ('4.50', 'vcpu', 'vcpu', '4.50')])
def test_it_can_be_had_in_another_unit(volume: str, unit: str, to: str,
                                       found: str) -> None:
    said = readable.convert(Decimal(volume), unit, to)
    assert format(said, 'f') == found


@pytest.mark.parametrize(('unit', 'to', 'complaint'), [
    ('ns', 'GiB', "value='GiB', allowed=.*'ns'"), ('B', 'MB', "value='MB'"),
    ('vcpu', 'h', "unit='vcpu', value='h'")])
def test_but_not_in_one_of_something_else(unit: str, to: str, complaint: str
                                          ) -> None:
    with pytest.raises(errors.InvalidQuery, match=complaint):
        readable.convert(Decimal(1), unit, to)


@pytest.mark.parametrize(('volume', 'unit', 'found'), [
    ('5400000000000', 'ns', 'h'), ('-90', 's', 'min'), ('0', 'ns', 'ns'),
    ('0.5', 'ns', 'ns'), ('0.5', 'h', 'min'), ('2000', 'ns', 'µs'),
    ('2048', 'MiB', 'GiB'), ('0.5', 'GiB', 'MiB'), ('7', 'vcpu', 'vcpu'),
    ('9000', 'B/s', 'B/s')])
def test_the_unit_that_suits_it(volume: str, unit: str, found: str) -> None:
    assert readable.suiting(Decimal(volume), unit) == found


@given(VOLUMES, st.sampled_from(['B', 'KiB', 'MiB', 'GiB']))
def test_bytes_that_are_told_are_those_that_were_meant(
        volume: Decimal, unit: str) -> None:
    meant = volume * BYTES[unit]
    told = worth(readable.quantity(volume, unit), BYTES)
    assert abs(told - meant) <= abs(meant) / 1000


@given(VOLUMES, st.sampled_from(['ns', 'ms', 's', 'min', 'h']))
def test_times_that_are_told_are_those_that_were_meant(
        volume: Decimal, unit: str) -> None:
    meant = volume * SECONDS[unit]
    told = worth(readable.quantity(volume, unit), SECONDS)
    assert abs(told - meant) <= abs(meant) / 48


@given(st.integers(-10 ** 35, 10 ** 35))
def test_whole_numbers_are_told_to_the_last_digit(count: int) -> None:
    assert readable.number(Decimal(count)) == f'{count:,}'


@given(VOLUMES, VOLUMES, st.sampled_from(['B', 'vcpu', 's']))
def test_who_has_more_is_never_told_to_have_less(
        one: Decimal, other: Decimal, unit: str) -> None:
    units = {'vcpu': 1, **BYTES} if unit != 's' else SECONDS
    less, more = (worth(readable.quantity(volume, unit), units)
                  for volume in sorted((one, other)))
    assert less <= more


def test_every_unit_of_the_catalogue_can_be_told() -> None:
    for definition in meter.load():
        for unit in definition.units:
            told = readable.quantity(Decimal('1234.5'), unit)
            assert re.match(r'[\d,.]+( |$)', told), (unit, told)
