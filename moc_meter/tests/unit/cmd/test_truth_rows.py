# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from moc_meter.cmd.truth import rows


@given(st.integers(), st.integers(min_value=0, max_value=18))
def test_a_decimal_figure_has_all_its_digits(number: int,
                                             digits: int) -> None:
    figure = Fraction(number, 10 ** digits)
    assert Fraction(rows.exact(figure)) == figure
    assert Fraction(json.loads(rows.line({'sum': figure}),
                               parse_float=Decimal)['sum']) == figure


def test_a_figure_without_an_end_is_the_nearest_double() -> None:
    assert rows.exact(Fraction(1, 3)) == repr(1 / 3)


def test_a_table_has_a_column_for_each_name() -> None:
    assert list(rows.table([
        {'unit': 'ns', 'sum': Fraction(5, 2)},
        {'unit': 'a\tb', 'sum': None, 'groupby': {'user_id': 'ü'}}])) == [
        'unit  sum  groupby',
        'ns    2.5',
        'a\\tb       {"user_id": "ü"}']


def test_no_rows_are_no_table() -> None:
    assert list(rows.table([])) == []


def test_a_cell_that_is_too_long_is_cut() -> None:
    [_, row] = rows.table([{'name': 'x' * 99}])
    assert row == 'x' * 39 + '…'
