# SPDX-License-Identifier: Apache-2.0
"""What is not taken, and what is said of it."""

from __future__ import annotations

import io
from typing import Any

import pytest
import webob

from moc_meter.model import meter
from moc_meter.model.admission import Admission
from moc_meter.model.meter import MeterDefinition
from moc_meter.model.sample import MeterKind
from moc_meter.storage.samples.base import SampleStore
from moc_meter.tests.functional.api import wiring
from moc_meter.tests.functional.api.wiring import posted

URL = '/v2/meters/disk.gb'
DIRECT = f'{URL}?direct=True'


def refused(api: Any, body: object, url: str = DIRECT) -> str:
    return wiring.complaint(api.post_json(url, body, status=400))


@pytest.mark.parametrize('name', ['counter_name', 'counter_type',
                                  'counter_unit', 'counter_volume',
                                  'resource_id'])
def test_a_mandatory_field_must_be_there(api: Any, name: str) -> None:
    assert refused(api, [posted(**{name: None})]) == (
        f"Invalid input for field/attribute {name}. Value: 'None'. "
        'Mandatory field missing.')


@pytest.mark.parametrize(('name', 'value'), [
    ('counter_name', None), ('counter_name', ''), ('counter_unit', None),
    ('counter_volume', None), ('resource_id', None), ('resource_id', ''),
    ('counter_type', None),
])
def test_a_mandatory_field_must_not_be_null_or_empty(
        api: Any, name: str, value: object) -> None:
    assert f'field/attribute {name}' in refused(api, [{**posted(),
                                                       name: value}])


def test_a_unit_may_be_empty(api: Any) -> None:
    api.post_json(URL, [posted(counter_unit='')], status=201)


@pytest.mark.parametrize(('name', 'value', 'said'), [
    ('counter_name', 'other',
     "counter_name. Value: 'other'. should be disk.gb"),
    ('counter_type', 'Gauge',
     "Value: 'Gauge'. The counter type must be: gauge, delta, cumulative"),
    ('counter_type', 'event', 'The counter type must be'),
    ('counter_volume', 'much', 'A finite number is expected'),
    ('counter_volume', '', 'A finite number is expected'),
    ('counter_volume', '٣', 'A finite number is expected'),
    ('counter_volume', 'NaN', 'A finite number is expected'),
    ('counter_volume', '-Infinity', 'A finite number is expected'),
    ('counter_volume', True, 'A finite number is expected'),
    ('counter_volume', [1], 'A finite number is expected'),
    ('counter_volume', '1e400', 'The number has too many digits'),
    ('counter_volume', '1e-999999', 'The number has too many digits'),
    ('counter_volume', '1e20', 'volume must be below 10**20'),
    ('message_id', 'm-1', 'The message_id must not be set'),
    ('resource_metadata', {'a': {'b': 'c'}}, 'resource_metadata'),
    ('resource_metadata', {'a': 1}, 'resource_metadata'),
    ('resource_metadata', {'a': True}, 'resource_metadata'),
    ('resource_metadata', 'text', 'not a valid dict'),
    ('nonsense', 1, 'Unknown attribute for argument samples: nonsense'),
    ('user_id', 5, 'field/attribute user_id'),
    ('resource_id', ['a'], 'field/attribute resource_id'),
    ('resource_id', 'a\0b', 'NUL'), ('resource_id', '\ud800', 'Unicode'),
    ('resource_id', 'x' * 600, 'too long'),
    ('resource_metadata', {'a\0': 'x'}, 'NUL'),
    ('timestamp', 'soon',
     "field/attribute samples. Value: 'soon'. invalid timestamp format"),
    ('timestamp', 1425200000, 'Invalid input for field/attribute samples'),
    ('timestamp', '2026-03-02T09:36', 'not in the future'),
    ('timestamp', '1969-12-31', 'after 1970'),
])
def test_a_bad_value_is_refused_with_a_reason(
        api: Any, name: str, value: object, said: str) -> None:
    assert said in refused(api, [{**posted(), name: value}])


def test_unknown_attributes_are_named_in_order(api: Any) -> None:
    assert refused(api, [posted(zeta=1, alpha=2)]) == (
        'Unknown attributes for argument samples: alpha, zeta')


@pytest.mark.parametrize(('body', 'said'), [
    (b'', 'Samples should be included in request body'),
    (b'[]', 'Samples should be included in request body'),
    (b'null', 'Samples should be included in request body'),
    (b'{}', 'A list is expected'), (b'"x"', 'A list is expected'),
    (b'[1]', 'An object is expected'), (b'[null]', 'An object is expected'),
    (b'[[]]', 'An object is expected'),
    (b'[{', 'not in valid JSON format'), (b'\xff', 'not in valid JSON'),
    (b'[NaN]', 'NaN is no number'), (b'[-Infinity]', 'is no number'),
    (b'[1e99999999999999999999]', 'too many digits'),
    (b'[' + b'9' * 5000 + b']', 'too many digits'),
    (b'[' * 20_000, 'nested too deeply'),
    (b'[{"a":' * 20_000, 'nested too deeply'),
    (b'[' * 500 + b']' * 500, 'nested too deeply'),
])
def test_a_body_that_holds_no_samples_is_refused(
        api: Any, body: bytes, said: str) -> None:
    answer = api.post(URL, body, content_type='application/json', status=400)
    assert said in wiring.complaint(answer)


def test_a_body_that_is_neither_json_nor_xml_is_not_supported(
        api: Any) -> None:
    for content_type in ('text/plain', 'application/x-www-form-urlencoded',
                         'multipart/form-data; boundary=x'):
        answer = api.post(URL, b'a=b', content_type=content_type, status=415)
        assert 'must be application/json' in wiring.complaint(answer)


class Flood(io.RawIOBase):
    """A body without an end, that counts what is taken of it."""

    def __init__(self) -> None:
        self.taken = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        self.taken += size
        return b'[' * size


@pytest.mark.parametrize('length', [
    {'CONTENT_LENGTH': '100000000'},
    {'CONTENT_LENGTH': '', 'wsgi.input_terminated': True}])
def test_a_body_that_is_too_large_is_not_read(
        store: SampleStore, length: dict[str, Any]) -> None:
    flood = Flood()
    answer = webob.Request.blank(URL, method='POST', environ={
        'wsgi.input': flood, 'CONTENT_TYPE': 'application/json', **length,
    }).get_response(wiring.client(store, max_body=1000).app)
    assert answer.status_int == 413
    assert wiring.complaint(answer) == (
        'The body must not be longer than 1000 bytes')
    assert flood.taken <= 1001


def strict(store: SampleStore) -> Any:
    definitions = meter.Definitions([MeterDefinition(
        name='disk.gb', kind=MeterKind.GAUGE, unit='GiB',
        legacy_units=('GB',), resource_type='disk', component='volume',
        description='size')])
    return wiring.client(store, admission=Admission(definitions=definitions,
                                                    strict=True))


def test_under_strict_a_wrong_unit_is_named_beside_the_right_ones(
        store: SampleStore) -> None:
    said = refused(strict(store), [posted(counter_unit='TB')])
    assert "unit='TB'" in said
    assert "allowed_units=('GiB', 'GB')" in said


def test_under_strict_an_unknown_meter_is_refused(store: SampleStore) -> None:
    said = refused(strict(store), [posted(counter_name='x')], '/v2/meters/x')
    assert "no such meter is defined: meter='x'" in said


def test_under_strict_a_current_or_legacy_unit_is_taken(
        store: SampleStore) -> None:
    strict(store).post_json(DIRECT, [posted(), posted(counter_unit='GiB')],
                            status=201)


def test_without_strict_any_unit_and_type_is_taken(api: Any) -> None:
    api.post_json(DIRECT, [posted(counter_unit='TB'),
                           posted(counter_type='delta')], status=201)


@pytest.mark.parametrize('body', [
    '<samples>', '<samples><item/></samples>',
    '<!DOCTYPE s [<!ENTITY a "b">]><samples>&a;</samples>',
    '<s><item><resource_metadata><item/></resource_metadata></item></s>',
])
def test_bad_xml_is_refused(api: Any, body: str) -> None:
    wiring.complaint(api.post(URL, body, content_type='text/xml', status=400))
