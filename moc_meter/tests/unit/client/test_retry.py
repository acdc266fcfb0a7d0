# SPDX-License-Identifier: Apache-2.0
"""Whether to ask again, and when."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moc_meter.client import retry

NOW = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
SECONDS = st.floats(0, 1e6)


@given(st.none() | SECONDS, SECONDS, SECONDS, SECONDS)
def test_it_is_never_too_early_and_never_too_late(
        told: float | None, growing: float, waited: float,
        patience: float) -> None:
    seconds = retry.pause(told, growing, waited, patience)
    earliest = max(told or 0.0, growing)
    if seconds is None:
        assert waited + earliest > patience
    else:
        assert seconds >= earliest
        assert waited + seconds <= patience


@pytest.mark.parametrize(('header', 'seconds'), [
    ('10', 10.0), ('0', 0.0), (None, None), ('soon', None), ('-1', None),
    ('Sun, 01 Mar 2026 12:00:07 GMT', 7.0),
    ('Sun, 01 Mar 2026 12:00:07 -0000', 7.0),
    ('Sun, 01 Mar 2026 11:00:00 GMT', 0.0)])
def test_both_forms_of_retry_after_are_read(header: str | None,
                                            seconds: float | None) -> None:
    assert retry.after(header, NOW) == seconds
