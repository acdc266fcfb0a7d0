# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moc_meter import errors
from moc_meter.messaging import entry
from moc_meter.model.sample import MeterKind, Sample

START = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)

#: What tells where metadata begin and end, and what may be taken for it.
_PIECES = [b',"metadata":{', b'"metadata":{', b'"metadata":', b'{', b'}',
           b'[', b']', b'"', b',', b':', b'1', b'"a":', b' ', b'\\',
           b',"sequence":5', b',"interval":[1,2]', b',"rounded":true',
           b',"unit":"x"', b',"user_id":"x"', b'\n', b'0']
_plain = st.text(st.sampled_from('a{}[],: é'), max_size=6)
_texts = st.text(st.sampled_from('a{}[]",:\\ é'), max_size=6)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | _texts
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(_texts | st.just('metadata'), inner, max_size=2),
    max_leaves=4)
_instants = st.integers(-2 ** 62, 2 ** 62)
_pair = st.lists(_instants, min_size=2, max_size=2)
#: As write_sample() has them; what a test cuts out or puts in makes others.
_ORDER = ('source', 'message_id', 'timestamp', 'meter', 'kind', 'unit',
          'volume', 'resource_id', 'project_id', 'user_id', 'metadata',
          'interval', 'counter_start', 'sequence', 'rounded', 'is_event')
_objects = st.builds(
    lambda said, more, figures: {
        name: value for name in _ORDER
        if (value := {**said, **more, **figures}.get(name)) is not None},
    st.fixed_dictionaries({
        'source': _plain, 'message_id': _plain, 'timestamp': _instants,
        'meter': _plain, 'kind': _plain, 'unit': _plain, 'volume': _plain,
        'resource_id': _plain}),
    st.fixed_dictionaries({
        'project_id': st.none() | _plain, 'user_id': st.none() | _plain,
        'metadata': st.none() | st.dictionaries(
            _texts | st.just('metadata'), _json, max_size=2)}),
    st.fixed_dictionaries({}, optional={
        'interval': _pair, 'counter_start': st.integers(),
        'sequence': st.integers(), 'rounded': st.just(True),
        'is_event': st.just(True)}))
_HEAD = (b'{"source":"s","message_id":"m","timestamp":%d,"meter":"a",'
         b'"kind":"gauge","unit":"u","volume":"0","resource_id":"r"')


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
    for _ in range(data.draw(st.integers(0, 2))):
        start = data.draw(st.integers(0, len(line)))
        end = data.draw(st.integers(start, min(start + 3, len(line))))
        line = line[:start] + data.draw(st.sampled_from(
            [*_PIECES, b''])) + line[end:]
    assert said(entry.read_in_parts, line) == said(entry.read_whole, line)


@pytest.mark.parametrize('rest', [
    b'}', b',"metadata":{}}', b',"sequence":5}', b',"metadata":{}',
    b',"metadata":{}}}', b',"metadata":{},"metadata":{}}',
    b',"metadata":{"b":1},"c":{"d":2}}', b',"metadata":{"b":1,"b":1}}',
    b',"metadata":{},"sequence":5,"sequence":5}',
    (b',"sequence":1,"rounded":true,"is_event":true,"counter_start":1'
     b',"interval":[1,2],"sequence":1}'),
    b',"metadata":{"b":1},"unit":"x,"metadata":{}}',
    b',"metadata":{"b":"},"sequence":5}',
    b',"metadata":{"b":{"c":1},"sequence":5}}',
    b',"metadata":{},"sequence":05}', b',"sequence":-}',
    b',"project_id":"\\u00e9"}', b',"project_id":"\\"}',
    b',"project_id":"\t"}', b',"project_id":"\x7f"}',
    b',"project_id":"\xff"}', b',"project_id":"\xc3\xa9"}',
    b',"user_id":"a","project_id":"b"}', b',"project_id":null}',
    b',"unit":"x"}', b' }', b'}\n'])
def test_what_only_looks_as_usual_is_read_as_a_whole(rest: bytes) -> None:
    line = _HEAD % 1 + rest
    assert said(entry.read_in_parts, line) == said(entry.read_whole, line)


@pytest.mark.parametrize('instant', [b'01', b'-', b'-0', b'1.0', b'1e3',
                                     b'9' * 19, b'9' * 5000, b'true'])
def test_a_number_is_what_json_takes_for_one(instant: bytes) -> None:
    line = _HEAD.replace(b'%d', instant) + b'}'
    assert said(entry.read_in_parts, line) == said(entry.read_whole, line)


@pytest.mark.parametrize('more', [
    {}, {'project_id': 'é', 'user_id': 'u', 'sequence': 3, 'rounded': True,
         'counter_start': START, 'interval': (START, START),
         'is_event': True}])
def test_the_same_metadata_are_made_once(more: dict[str, Any]) -> None:
    samples = [Sample(source='s', message_id='m', timestamp=START, meter='a',
                      kind=MeterKind.GAUGE, unit='', volume=Decimal(volume),
                      resource_id='r', metadata={'a': 0.1}, **more)
               for volume in ('0', '-1.5')]
    read = [entry.read_sample(entry.write_sample(one)) for one in samples]
    assert read == samples
    assert read[0].metadata is read[1].metadata


def test_no_digit_of_a_number_in_metadata_is_lost() -> None:
    numbers = {'a': 2 ** 70 + 1, 'b': 0.1 + 0.2, 'c': -1e-300, 'd': 5e-324}
    line = _HEAD % 1 + b',' + entry.write({'metadata': numbers})[1:]
    assert json.dumps(entry.read_in_parts(line)['metadata']) == (
        json.dumps(numbers))
