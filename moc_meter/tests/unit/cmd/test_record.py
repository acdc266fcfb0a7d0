# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from moc_meter import errors
from moc_meter.cmd.manage import record


def line(**changes: Any) -> bytes:
    said = {'counter_name': 'disk', 'counter_type': 'gauge',
            'counter_unit': 'GiB', 'counter_volume': 1, 'resource_id': 'a',
            'timestamp': '2026-03-01T10:00:00', **changes}
    return json.dumps({name: value for name, value in said.items()
                       if value != '-'}).encode()


def test_a_volume_loses_no_digit() -> None:
    content = line(counter_volume=0).replace(
        b'"counter_volume": 0',
        b'"counter_volume": 12345678901234567890.000000001')
    assert record.read(content, 's').volume == Decimal(
        '12345678901234567890.000000001')


def test_metadata_keep_their_types_and_their_nesting() -> None:
    metadata = {'a': {'b': [1, True, 0.5, None]}}
    assert record.read(line(resource_metadata=metadata),
                       's').metadata == metadata


def test_a_source_that_is_named_is_kept() -> None:
    assert [record.read(line(source=source), 'ours').source
            for source in ('theirs', None)] == ['theirs', 'ours']


def test_equal_lines_without_ids_have_one_id() -> None:
    ids = {record.read(line(counter_volume=volume), 's').message_id
           for volume in (1, 1, 2)}
    assert len(ids) == 2


def test_what_the_api_shows_can_be_loaded() -> None:
    sample = record.read(line(
        message_id='m', recorded_at='2026-03-01T10:00:01', user_id=None,
        project_id='p', source='s'), 'ours')
    assert (sample.message_id, sample.project_id) == ('m', 'p')


@pytest.mark.parametrize(('content', 'complaint'), [
    (b'{', 'not JSON'), (b'[]', 'not a JSON object'),
    (b'\xff', 'not JSON'), (b'{"a": NaN}', 'not JSON'),
    (line(counter_name='-'), "missing=['counter_name']"),
    (line(timestamp='-'), "missing=['timestamp']"),
    (line(colour='red'), "unknown=['colour']"),
    (line(counter_type='level'), "field='counter_type'"),
    (line(counter_volume='much'), "field='counter_volume'"),
    (line(counter_volume=True), "field='counter_volume'"),
    (line(timestamp='yesterday'), "field='timestamp'"),
    (line(timestamp=5), "field='timestamp'"),
    (line(resource_metadata='x'), "field='resource_metadata'"),
    (line(resource_id=5), "field='resource_id'"),
    (line(user_id='\ud800'), 'cannot be written'),
    (line(resource_metadata={'a': 0}).replace(b'"a": 0', b'"a": 1e999'),
     'cannot be written')])
def test_a_line_that_is_none_is_refused_by_naming_why(
        content: bytes, complaint: str) -> None:
    with pytest.raises(errors.InvalidSample) as refusal:
        record.read(content, 's')
    assert complaint in str(refusal.value)
