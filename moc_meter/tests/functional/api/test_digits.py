# SPDX-License-Identifier: Apache-2.0
"""Numbers in answers: every digit, and for old clients the nearest double."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moc_meter.api.v2 import types
from moc_meter.storage.samples.base import SampleStore
from moc_meter.tests.functional.api import wiring

#: As posted, and as shown.
VOLUMES = {'18': '18.0', '0.1': '0.1', '1e3': '1000.0', '-0.0': '0.0',
           '9007199254740993': '9007199254740993.0',
           '0.000000001': '0.000000001',
           '-12345678901234567890.123456789':
               '-12345678901234567890.123456789'}
SUM = '-12336671701979825879.023456788'


@pytest.fixture
def kept(every_store: SampleStore) -> Any:
    api = wiring.client(every_store)
    wiring.keep(api, [
        wiring.posted(counter_volume=volume, resource_id=volume)
        for volume in VOLUMES])
    return api


def test_volumes_and_sums_have_all_their_digits(kept: Any) -> None:
    for path, resource, volume in (
            ('/v2/samples', 'resource_id', 'volume'),
            ('/v2/meters/disk.gb', 'resource_id', 'counter_volume')):
        said = json.loads(kept.get(path).text, parse_float=str)
        assert {one[resource]: one[volume] for one in said} == VOLUMES
    [row] = json.loads(kept.get('/v2/meters/disk.gb/statistics').text,
                       parse_float=str)
    assert (row['sum'], row['min'], row['max'], row['count']) == (
        SUM, VOLUMES['-12345678901234567890.123456789'],
        '9007199254740993.0', len(VOLUMES))
    [row] = json.loads(kept.get(
        '/v2/meters/disk.gb/statistics?aggregate.func=sum&aggregate.func='
        'count&aggregate.func=avg').text, parse_float=str)
    assert row['aggregate'] == {
        'sum': SUM, 'count': '7.0',
        'avg': types.Digits(types.nearest(Decimal(SUM) / 7)).encoded_json}


def test_xml_has_the_same_digits(kept: Any) -> None:
    answer = kept.get('/v2/meters/disk.gb/statistics',
                      headers={'Accept': 'application/xml'})
    assert answer.xml.find('item/sum').text == SUM


def test_a_posted_volume_is_echoed_with_all_its_digits(api: Any) -> None:
    body = json.dumps([wiring.posted()]).replace(
        '"counter_volume": 8', '"counter_volume": 12345678901234567.89')
    answer = api.post('/v2/meters/disk.gb', body,
                      content_type='application/json')
    assert '"counter_volume": 12345678901234567.89,' in answer.text


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_number_is_written_whole_and_never_as_a_power(
        figure: Decimal) -> None:
    shown = types.Digits(figure).encoded_json
    assert re.fullmatch(r'-?(0|[1-9]\d*)\.\d+', shown)
    assert Decimal(shown) == figure
    assert float(shown) == float(figure)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_figure_without_a_last_digit_is_shown_as_its_double(
        figure: float) -> None:
    shown = types.Digits(types.nearest(Decimal(figure))).encoded_json
    assert float(shown) == figure
