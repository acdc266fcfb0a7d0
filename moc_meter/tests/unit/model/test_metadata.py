# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moc_meter.model import metadata


@pytest.mark.parametrize(('given_', 'shown'), [
    ({'properties': {'p': {'q': 1}}}, {'properties.p:q': '1'}),
    ({'net': {'if.$0': {'$mtu': 1500}}}, {'net.if:$0:$mtu': '1500'}),
    ({'a': True, 'b': None, 'c': 0, 'd': 0.5},
     {'a': 'True', 'b': 'None', 'c': '0', 'd': '0.5'}),
    ({'tags': ['a', 'b']}, {'tags': "['a', 'b']"}), ({}, {})])
def test_metadata_is_shown_flat(given_: dict[str, object],
                                shown: dict[str, str]) -> None:
    assert metadata.flattened(given_) == shown


def test_scalars_are_found_at_their_paths() -> None:
    found = set(metadata.scalars(
        {'disk': {'kind': 'ssd'}, 'tags': ['x', 2.0, True], 'gone': None}))
    assert found == {('disk.kind', 'text', 'ssd'), ('tags[0]', 'text', 'x'),
                     ('tags[1]', 'number', '2'),
                     ('tags[2]', 'boolean', 'True'),
                     ('gone', 'null', 'None')}


def test_dotted_keys_are_nested() -> None:
    assert metadata.nested({'a.b': 'x', 'a.c': 'y', 'd': 'z'}) == {
        'a': {'b': 'x', 'c': 'y'}, 'd': 'z'}


def test_a_key_that_is_also_a_prefix_is_kept_as_it_was() -> None:
    assert metadata.nested({'a': '1', 'a.b': '2'}) == {'a': '1', 'a.b': '2'}


@given(st.dictionaries(st.text('ab.', min_size=1, max_size=5), st.text()))
def test_nesting_loses_no_value(flat: dict[str, str]) -> None:
    kept = [text for _, _, text in metadata.scalars(metadata.nested(flat))]
    assert sorted(kept) == sorted(flat.values())
