# SPDX-License-Identifier: Apache-2.0
import decimal
import fractions
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moc_meter.model import quantity

volumes = st.decimals(min_value=-10**20, max_value=10**20, places=9,
                      allow_nan=False)


@given(st.lists(volumes, max_size=50))
def test_a_total_is_exact_to_the_last_digit(values: list[Decimal]) -> None:
    exact = sum(map(fractions.Fraction, values), fractions.Fraction(0))
    assert fractions.Fraction(quantity.total(values)) == exact


def test_a_total_of_38_digits_is_exact() -> None:
    large = Decimal('99999999999999999999.999999999')
    assert quantity.total([large] * 10) == Decimal(
        '999999999999999999999.999999990')


def test_a_digit_that_would_be_lost_raises() -> None:
    with pytest.raises(decimal.Inexact):
        quantity.add(Decimal('1e100'), Decimal('1e-100'))


@pytest.mark.parametrize(('given_', 'kept'), [
    ('0.0000000005', '0.000000000'), ('0.0000000015', '0.000000002'),
    ('-0.0000000015', '-0.000000002'), ('1', '1.000000000')])
def test_rounding_is_half_to_even_at_scale_nine(given_: str,
                                                kept: str) -> None:
    assert str(quantity.rounded(Decimal(given_))) == str(Decimal(kept))


@pytest.mark.parametrize('sign', [1, -1])
@pytest.mark.parametrize('scale', [9, 10, 11])
@pytest.mark.parametrize('beside', range(-20, 21))
def test_what_rounds_to_the_limit_is_not_bounded(
        sign: int, scale: int, beside: int) -> None:
    value = Decimal(sign * (10 ** (20 + scale) + beside)).scaleb(
        -scale, decimal.Context(prec=40))
    assert quantity.is_bounded(value) == (
        quantity.rounded(value).copy_abs() < quantity.LIMIT)


@given(volumes)
def test_text_reads_back_as_the_same_quantity(value: Decimal) -> None:
    assert Decimal(quantity.text(value)) == value


@pytest.mark.parametrize(('value', 'shown'), [
    ('1E+3', '1000'), ('-0.0', '0'), ('0.500', '0.5'), ('10', '10')])
def test_equal_quantities_have_equal_text(value: str, shown: str) -> None:
    assert quantity.text(Decimal(value)) == shown
