# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
import datetime

import pytest

from moc_meter import errors
from moc_meter.cmd.manage import arguments

NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
LATER = NOON + datetime.timedelta(microseconds=1)


@pytest.mark.parametrize('number', [0, 7, 2 ** 63 - 1])
def test_a_row_has_a_number_that_a_database_takes(number: int) -> None:
    assert arguments.row(str(number)) == number


@pytest.mark.parametrize('text', [
    '', 'x', '-1', '1_0', '1.0', '\u0663', '\u00b2', str(2 ** 63), '9' * 5000])
def test_what_is_no_number_of_a_row_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        arguments.row(text)


@pytest.mark.parametrize(('start', 'end'), [
    (None, None), (NOON, None), (None, NOON), (NOON, NOON), (NOON, LATER)])
def test_bounds_are_in_their_order(start: object, end: object) -> None:
    asked = argparse.Namespace(start=start, end=end)
    assert arguments.between(asked) == (start, end)


def test_bounds_out_of_their_order_are_refused() -> None:
    with pytest.raises(errors.InvalidQuery):
        arguments.between(argparse.Namespace(start=LATER, end=NOON))
