# SPDX-License-Identifier: Apache-2.0
"""What few samples say comes out of its column as it went in."""

from __future__ import annotations

import dataclasses
import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moc_meter.model import period
from moc_meter.model.sample import Sample
from moc_meter.storage.samples import details
from moc_meter.tests.stores import sample

_FIRST = datetime.datetime.min.replace(tzinfo=datetime.UTC)
_LAST = datetime.datetime.max.replace(tzinfo=datetime.UTC)
_INSTANTS = (st.sampled_from([_FIRST, period.EPOCH, _LAST])
             | st.datetimes(timezones=st.just(datetime.UTC)))
_SAMPLES = st.builds(
    sample, counter_start=st.none() | _INSTANTS,
    interval=st.none() | st.tuples(_INSTANTS, _INSTANTS),
    sequence=st.none() | st.integers(0, 2 ** 63 - 1) | st.integers(0, 3),
    rounded=st.booleans())


@given(_SAMPLES)
def test_a_sample_says_what_it_said(said: Sample) -> None:
    kept = details.pack(said)
    bare = dataclasses.replace(said, counter_start=None, interval=None,
                               sequence=None, rounded=False)
    assert dataclasses.replace(bare, **details.unpack(kept)) == said
    assert (kept is None) == (said == bare)


@given(_SAMPLES, _SAMPLES)
def test_equal_details_are_equal_texts(one: Sample, other: Sample) -> None:
    assert (details.pack(one) == details.pack(other)) == (one == other)


def test_details_can_be_read() -> None:
    hour = (period.EPOCH, period.EPOCH + period.HOUR)
    assert details.pack(sample(
        counter_start=period.EPOCH, interval=hour, sequence=0,
        rounded=True)) == 'c0 i0/3600000000 s0 r'


def test_the_longest_details_have_room() -> None:
    longest = details.pack(sample(
        counter_start=_LAST, interval=(_FIRST, _LAST),
        sequence=2 ** 63 - 1, rounded=True))
    assert len(longest or '') == details.LENGTH


@pytest.mark.parametrize('text', ['x', ' ', 'r  r', 'c', 'i1', 'i1/2/3',
                                  's1.5'])
def test_another_text_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r'.'):
        details.unpack(text)
