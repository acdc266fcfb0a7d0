# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from moc_meter import errors
from moc_meter.model import traits
from moc_meter.model.traits import Trait, TraitType

LARGEST = 2 ** 63 - 1
INSTANTS = st.datetimes(timezones=st.just(datetime.UTC))
VALUES: dict[TraitType, st.SearchStrategy[Any]] = {
    TraitType.STRING: st.text(max_size=20),
    TraitType.INTEGER: st.integers(-LARGEST - 1, LARGEST),
    TraitType.FLOAT: st.floats(allow_nan=False, allow_infinity=False),
    TraitType.DATETIME: INSTANTS}


def pairs(kind: TraitType) -> st.SearchStrategy[tuple[Trait, Trait]]:
    one = VALUES[kind].map(
        lambda value: Trait(name='n', type=kind, value=value))
    return st.tuples(one, one)


@given(st.sampled_from(TraitType).flatmap(pairs))
def test_the_order_of_texts_is_that_of_the_values(two: tuple[Trait, Trait]
                                                  ) -> None:
    one, other = two
    assert (one.ordered < other.ordered) == (one.value < other.value)
    assert (one.ordered == other.ordered) == (one.value == other.value)


@given(st.sampled_from(TraitType).flatmap(pairs))
@example((Trait(name='n', type=TraitType.FLOAT, value=-0.0),
          Trait(name='n', type=TraitType.FLOAT, value=5e-324)))
def test_a_trait_is_read_as_it_was(two: tuple[Trait, Trait]) -> None:
    for one in two:
        assert traits.read(one.name, one.type, one.ordered) == one


SPELLED = st.one_of(
    VALUES[TraitType.STRING], VALUES[TraitType.INTEGER],
    VALUES[TraitType.FLOAT],
    st.integers(0, 10 ** 15).map(lambda instant: {'datetime': instant}))


@given(st.dictionaries(st.text(min_size=1, max_size=9), SPELLED))
def test_traits_are_spelled_as_they_came(said: dict[str, object]) -> None:
    assert {one.name: one.spelled for one in traits.traits(said)} == said


@pytest.mark.parametrize('said', [
    True, None, [], {}, LARGEST + 1, float('nan'), float('inf'), 'x' * 256,
    {'datetime': -1}, {'datetime': 1, 'other': 1}, {'datetime': 2 ** 62}],
    ids=repr)
def test_what_is_no_trait_is_refused(said: object) -> None:
    with pytest.raises(errors.InvalidSample):
        traits.trait('n', said)
