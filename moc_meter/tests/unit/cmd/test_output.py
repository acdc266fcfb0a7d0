# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import datetime
import json
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from moc_meter.cmd.manage import output


@given(st.decimals(allow_nan=False, allow_infinity=False,
                   min_value=-10 ** 28, max_value=10 ** 28, places=9))
def test_a_decimal_is_a_number_with_all_its_digits(value: Decimal) -> None:
    assert json.loads(output.line([value]), parse_int=Decimal,
                      parse_float=Decimal) == [value]


def test_what_is_written_is_json() -> None:
    value = {'a': [1, None, True, 'ü"\n'], 'b': {'c': 'd'}}
    assert json.loads(output.line(value)) == value


def test_a_number_that_json_does_not_have_is_null() -> None:
    value = {'a': float('nan'), 'b': [float('inf'), {'c': -float('inf')}]}
    assert output.line(value) == '{"a": null, "b": [null, {"c": null}]}'


def test_instants_are_written_as_the_api_writes_them() -> None:
    noon = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
    assert output.line(noon) == '"2026-03-01T12:00:00"'


def test_nothing_that_was_refused_can_move_the_cursor() -> None:
    assert output.row(['a\x1b[2J', 'b\n'], [3]) == r'a\x1b[2J  b\n'
