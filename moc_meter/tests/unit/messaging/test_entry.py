# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moc_meter import errors
from moc_meter.messaging import entry

#: What tells where metadata begin and end, and what may be taken for it.
_PIECES = [b',"metadata":{', b'"metadata":{', b'"metadata":', b'{', b'}',
           b'[', b']', b'"', b',', b':', b'1', b'"a":', b' ', b'\\',
           b',"sequence":5', b',"interval":[1,2]', b',"rounded":true']
_texts = st.text(st.sampled_from('a{}[]",:\\ é'), max_size=6)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | _texts
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(_texts | st.just('metadata'), inner, max_size=2),
    max_leaves=4)
_objects = st.lists(st.tuples(
    st.sampled_from(['unit', 'volume', 'metadata', 'sequence', 'interval']),
    _json), max_size=4).map(lambda pairs: dict(pairs))


def said(read: Callable[[bytes], dict[str, Any]], line: bytes) -> str:
    """What is read, to the last digit; or that nothing is."""
    try:
        return repr(sorted(read(line).items()))
    except errors.InvalidSample:
        return 'nothing'


@given(_objects, st.data())
def test_a_line_in_parts_is_what_it_is_as_a_whole(
        members: dict[str, Any], data: st.DataObject) -> None:
    line = entry.write(members)
    for _ in range(data.draw(st.integers(0, 3))):
        start = data.draw(st.integers(0, len(line)))
        end = data.draw(st.integers(start, min(start + 3, len(line))))
        line = line[:start] + data.draw(st.sampled_from(
            [*_PIECES, b''])) + line[end:]
    assert said(entry.read_in_parts, line) == said(entry.read, line)


@pytest.mark.parametrize('line', [
    b'{"a":[1,"metadata":{},2]}',
    b'{"a":"x,"metadata":{}","sequence":5}',
    b'{"a":{"b":1,"metadata":{}},"sequence":5}',
    b'{"a":1,"metadata":{},"metadata":{}}',
    b'{"metadata":{},"a":1,"metadata":{}}',
    b'{"a":1,"metadata":{"b":1},"c":{"d":2}}',
    b'{"a":1,"metadata":{},"sequence":5,"sequence":5}',
    b'{"a":1,"metadata":{}',
    b'{"a":1,"metadata":{}}}',
    b'{"a":"\xff","metadata":{}}',
    b'{,"metadata":{}}', b'{ ,"metadata":{"b":1}}',
    b'{"a":1,"metadata":{"b":1,"b":1}}'])
def test_what_only_looks_like_metadata_is_read_as_a_whole(
        line: bytes) -> None:
    assert said(entry.read_in_parts, line) == said(entry.read, line)


def test_the_same_metadata_are_made_once() -> None:
    first, second = (entry.read_in_parts(
        b'{"volume":"%d","metadata":{"a":0.1},"sequence":1}' % volume)
        for volume in range(2))
    assert first == {'volume': '0', 'metadata': {'a': 0.1}, 'sequence': 1}
    assert first['metadata'] is second['metadata']


def test_no_digit_of_a_number_in_metadata_is_lost() -> None:
    numbers = {'a': 2 ** 70 + 1, 'b': 0.1 + 0.2, 'c': -1e-300, 'd': 5e-324}
    line = entry.write({'volume': '1', 'metadata': numbers})
    assert json.dumps(entry.read_in_parts(line)['metadata']) == (
        json.dumps(numbers))
