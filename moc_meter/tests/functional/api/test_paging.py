# SPDX-License-Identifier: Apache-2.0
"""Lists that go on: links, markers, and answers of any length."""

from __future__ import annotations

import base64
import datetime
import json
import re
import urllib.parse
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import webob

from moc_meter.api.v2 import arguments, paging
from moc_meter.model.query import StoredSample
from moc_meter.model.sample import MeterKind, Sample
from moc_meter.storage import engine
from moc_meter.storage.samples.base import SampleStore
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.tests.functional.api import wiring
from moc_meter.tests.functional.api.wiring import posted

HOST = 'http://localhost'
NAMES = ('a', 'ä', 'b/c', '%41', '😀', 'A', "it's", 'a b')


def pages(api: Any, url: str, **headers: str) -> list[Any]:
    """The answers, each to the link of the one before."""
    found = []
    while url:
        answer = api.get(url, headers=headers, extra_environ={
            'REQUEST_URI': url})
        found.append(answer)
        link = answer.headers.get('Link')
        said = re.fullmatch(rf'<{HOST}(.*)>; rel="next"', link) if link else ''
        url = said[1] if said else ''
        assert bool(link) == bool(said)
    return found


def items(answers: list[Any]) -> list[Any]:
    return [item for answer in answers for item in answer.json]


@pytest.mark.parametrize('path', [
    '/v2/samples?', '/v2/meters?', '/v2/meters?unique=1&', '/v2/resources?',
    '/v2/meters/b%2Fc?', '/v2/samples?q.field=user&q.value=u1&',
    '/v2/resources?q.field=timestamp&q.op=ge&q.value=2026-03-01T10%3A00&'])
def test_links_lead_through_the_whole_list(every_store: SampleStore,
                                           path: str) -> None:
    api = wiring.client(every_store)
    api.post_json('/v2/ingest', [posted(
        message_id=f'{name} {hour} {resource}', source='s',
        resource_id=resource, counter_name=name,
        timestamp=f'2026-03-01T{hour}:00', user_id=f'u{hour % 2}')
        for name in NAMES for hour in (10, 11) for resource in (
            NAMES if name == 'b/c' else 'ab')])
    [whole] = pages(api, f'{path}limit=99')
    assert len(whole.json) > 1
    for limit in (1, 3):
        answers = pages(api, f'{path}limit={limit}')
        assert items(answers) == whole.json
        assert {len(answer.json) for answer in answers[:-1]} <= {limit}
        assert answers[-1].json


def test_a_list_that_ends_with_its_limit_has_no_link(api: Any) -> None:
    wiring.keep(api, wiring.table())
    assert 'Link' not in api.get('/v2/samples?limit=4').headers
    assert 'Link' in api.get('/v2/samples?limit=3').headers


def test_a_page_of_another_form_begins_at_the_same_place(api: Any) -> None:
    wiring.keep(api, wiring.table())
    link = api.get('/v2/samples?limit=3').headers['Link'].split('>')[0][1:]
    answer = api.get(link, headers={'Accept': 'application/xml'})
    assert [one.text for one in answer.xml.findall('item/volume')] == ['8.0']


def test_a_marker_shows_no_more_than_may_be_seen(api: Any) -> None:
    wiring.keep(api, [*wiring.table(), posted(
        project_id='p2', timestamp='2026-03-01T09:00')])
    link = api.get('/v2/samples?limit=1').headers['Link'].split('>')[0][1:]
    own = api.get(link.replace('limit=1&', ''), headers=wiring.MEMBER).json
    assert {one['project_id'] for one in own} == {'p1'}
    assert len(own) == 3


@pytest.mark.parametrize('path', ['/v2/samples', '/v2/meters',
                                  '/v2/resources', '/v2/meters/x'])
@pytest.mark.parametrize('marker', [
    '', 'x', '%00', '😀', 'W10', 'W1tdXQ', 'bnVsbA', 'WzFd', 'eyJhIjoxfQ',
    'WzEsMSwiTmFOIiwiYSIsImEiLCJhIiwiZ2F1Z2UiLCJhIiwiYSIsbnVsbCxudWxsXQ',
    'WzFlOTk5XQ', 'W' * 5000])
def test_a_marker_that_is_none_is_refused(api: Any, path: str,
                                          marker: str) -> None:
    answer = api.get(f'{path}?marker={urllib.parse.quote(marker)}',
                     status=400)
    assert 'Invalid marker' in wiring.complaint(answer)


@pytest.mark.parametrize('volume', [
    'NaN', 'sNaN', '-Infinity', '1E+100000', '1E-100000', '1E+20', '-1E+20',
    '0.0000000001', ''])
def test_a_volume_that_no_sample_has_makes_no_marker(api: Any, volume: str
                                                     ) -> None:
    wiring.keep(api, wiring.table())
    place = base64.urlsafe_b64encode(json.dumps(
        [1, 1, volume, 'a', 's', 'm', 'gauge', 'u', 'r', None, None]
    ).encode()).decode().rstrip('=')
    for answer in (
            api.get(f'/v2/samples?marker={place}', status=400),
            api.post_json(f'/v2/query/samples?marker={place}',
                          {'orderby': '[{"volume": "asc"}]'}, status=400)):
        assert 'Invalid marker' in wiring.complaint(answer)


def test_the_largest_volumes_are_in_markers(every_store: SampleStore) -> None:
    api = wiring.client(every_store)
    volumes = ['-99999999999999999999.999999999', '0.000000001',
               '99999999999999999999.999999999']
    wiring.keep(api, [wiring.posted(counter_volume=one) for one in volumes])
    url, found = '/v2/query/samples', []
    while url:
        answer = api.post_json(url, {'orderby': '[{"volume": "asc"}]',
                                     'limit': 1})
        found += re.findall(r'"volume": ([-0-9.]+)', answer.text)
        url = answer.headers.get('Link', '<>').split('>')[0][1:]
    assert found == volumes


def test_a_marker_comes_once(api: Any) -> None:
    api.get('/v2/samples?marker=a&marker=b', status=400)


def test_a_list_is_read_in_pages_of_any_number(
        api: Any, store: SampleStore, monkeypatch: pytest.MonkeyPatch
        ) -> None:
    monkeypatch.setattr(paging, 'PAGE', 3)
    store.write([sample(number) for number in range(10)], wiring.NOW)
    whole = [one['volume'] for one in api.get('/v2/samples').json]
    assert whole == [float(number) for number in range(9, -1, -1)]
    for limit in (2, 3, 4, 6, 9, 10, 11):
        answer = api.get(f'/v2/samples?limit={limit}')
        assert [one['volume'] for one in answer.json] == whole[:limit]
        assert ('Link' in answer.headers) == (limit < 10)


def test_a_list_that_is_sorted_is_read_at_once(sqlite_url: str) -> None:
    with wiring.store(sqlite_url):
        pass
    made = engine.make_engine(sqlite_url)
    store = Counted(made)
    store.write([sample(number) for number in range(2500)], wiring.NOW)
    answer = wiring.client(store).post_json('/v2/query/samples', {
        'orderby': '[{"volume": "asc"}]', 'limit': 2500})
    made.dispose()
    assert [one['volume'] for one in answer.json] == list(range(2500))
    assert store.lists == 1


class Counted(SqlSampleStore):
    """Counts how often it was asked for samples."""

    lists = 0

    def samples(self, *given: Any, **named: Any) -> list[StoredSample]:
        self.lists += 1
        return super().samples(*given, **named)


def test_a_list_beyond_the_largest_answer_goes_on_behind_its_link(
        api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arguments, 'MOST', 3)
    wiring.keep(api, wiring.table())
    first, last = pages(api, f'/v2/samples?limit={10 ** 9}')
    assert (len(first.json), len(last.json)) == (3, 1)


def sample(number: int) -> Sample:
    return Sample(
        source='s', message_id=f'{number:032x}', meter='m', unit='u',
        kind=MeterKind.GAUGE, volume=Decimal(number), resource_id='r',
        timestamp=wiring.NOW - datetime.timedelta(days=9)
        + number * datetime.timedelta(seconds=1), project_id='p',
        metadata={'name': 'x' * 100})


def test_a_long_list_needs_no_memory_of_its_length(
        api: Any, store: SampleStore) -> None:
    """40,000 samples: more than 15 MB as JSON, and many times that before."""
    for start in range(0, 40_000, 20_000):
        store.write([sample(number)
                     for number in range(start, start + 20_000)], wiring.NOW)
    request = webob.Request.blank('/v2/samples?limit=100000')
    Path('/proc/self/clear_refs').write_text('5')     # the peak is now's
    before = memory('VmRSS')
    answer = request.get_response(api.app)
    found = length = 0
    for part in answer.app_iter:
        length += len(part)
        found += part.count(b'"volume"')
    answer.app_iter.close()
    assert memory('VmHWM') - before < 40_000
    assert length > 15_000_000
    assert found == pytest.approx(40_000, abs=100)     # some are cut
    assert 'Link' not in answer.headers


def memory(kind: str) -> int:
    """Of this process, in KiB."""
    found = re.search(rf'{kind}:\s+(\d+) kB',
                      Path('/proc/self/status').read_text())
    assert found
    return int(found[1])
