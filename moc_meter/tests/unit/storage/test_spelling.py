# SPDX-License-Identifier: Apache-2.0
"""Under what the number of a metadata is remembered."""

from __future__ import annotations

import types
from collections.abc import Callable

import hypothesis
import pytest
from hypothesis import strategies as st

from moc_meter.model.sample import MeterKind, canonical
from moc_meter.storage.samples.resources import spelling

_SCALARS = (st.none() | st.booleans() | st.integers(-2, 2)
            | st.sampled_from([0.0, -0.0, 1.0, 2.0 ** 70, 0.1])
            | st.integers(2 ** 62, 2 ** 66) | st.sampled_from(['', '1', 'a']))
_CONTENTS = st.dictionaries(
    st.sampled_from('ab'), st.recursive(
        _SCALARS, lambda inner: st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from('ab'), inner), max_leaves=4))


@pytest.mark.parametrize('within', [
    lambda value: {'a': value}, lambda value: {'a': {'b': value}},
    lambda value: {'a': [value]}])
def test_what_python_takes_for_equal_is_spelled_differently(
        within: Callable[[object], dict[str, object]]) -> None:
    alike = [*map(within, (
        1, True, 1.0, '1', [1], 0, False, 0.0, -0.0, None, '', 'None',
        2 ** 70, 2.0 ** 70))]
    assert len({*map(spelling, alike)}) == len({*map(canonical, alike)})


@hypothesis.given(_CONTENTS)
def test_a_content_is_spelled_alike_whoever_holds_it(
        one: dict[str, object]) -> None:
    assert spelling(one) == spelling(eval(repr(one)))


@pytest.mark.parametrize('text', ['gauge', MeterKind.GAUGE])
def test_texts_of_any_class_are_spelled(text: str) -> None:
    assert spelling({'kind': text, 'is': [text]})


def test_what_json_does_not_know_is_refused() -> None:
    with pytest.raises(TypeError):
        spelling({'inner': types.MappingProxyType({})})
