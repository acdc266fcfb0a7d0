# SPDX-License-Identifier: Apache-2.0
"""Request ids, proxies, prefixes and pages of other origins."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import io
import json
import logging
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import webob
from oslo_config import cfg
from oslo_log import formatters, log

from moc_meter.cmd.web import WebServer
from moc_meter.storage.samples.base import SampleStore
from moc_meter.tests.contract.fakes import FakeStore
from moc_meter.tests.functional.api import wiring
from moc_meter.tests.servers.base import until

ID = 'X-Openstack-Request-Id'
OURS = 'req-00000000-0000-4000-8000-0123456789ab'
FORWARDED = [
    {'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'cloud.test:8443',
     'X-Forwarded-Prefix': '/telemetry'},
    {'Forwarded': 'for=10.0.0.1;host="";proto=https;host=cloud.test:8443',
     'X-Forwarded-Prefix': '/telemetry'}]


@pytest.mark.parametrize(('path', 'status'), [
    ('/', 200), ('/v2/samples', 200), ('/v2/nothing', 404),
    ('/v2/samples?x=1', 400), ('/v2/samples/none', 404)])
def test_every_answer_has_an_id_of_its_own(api: Any, path: str,
                                           status: int) -> None:
    found = {api.get(path, status=status).headers[ID] for _ in range(3)}
    assert len(found) == 3
    assert all(re.fullmatch(r'req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}',
                            one) for one in found)


def test_a_callers_id_is_taken_over_where_it_is_one(api: Any) -> None:
    assert api.get('/', headers={ID: OURS}).headers[ID] == OURS
    for other in ('', 'req-1', OURS + 'a', OURS.upper(), 'x' + OURS):
        assert api.get('/', headers={ID: other}).headers[ID] != other


def test_every_line_of_the_log_bears_the_id() -> None:
    store = FakeStore()
    store.away = True
    options = cfg.ConfigOpts()
    log.register_options(options)
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    handler.setFormatter(formatters.ContextFormatter(config=options))
    logger = logging.getLogger('moc_meter')
    logger.addHandler(handler)
    try:
        wiring.client(store).get('/v2/samples', headers={ID: OURS},
                                 status=503)
    finally:
        logger.removeHandler(handler)
    lines = said.getvalue().splitlines()
    assert lines
    assert all(OURS in line for line in lines)


@pytest.mark.parametrize('headers', FORWARDED)
def test_behind_a_proxy_links_lead_where_the_request_came_in(
        store: SampleStore, headers: dict[str, str]) -> None:
    api = wiring.client(store, behind_proxy=True)
    wiring.keep(api, wiring.table())
    base = 'https://cloud.test:8443/telemetry'
    [version] = api.get('/', headers=headers).json['versions']['values']
    assert version['links'][0]['href'] == f'{base}/v2'
    listed = api.get('/v2/resources?limit=1', headers=headers)
    assert listed.json[0]['links'][0]['href'] == f'{base}/v2/resources/a'
    assert listed.headers['Link'].startswith(f'<{base}/v2/resources?limit=1&')


@pytest.mark.parametrize('headers', FORWARDED)
def test_without_a_proxy_nobody_is_believed(
        api: Any, headers: dict[str, str]) -> None:
    [version] = api.get('/', headers=headers).json['versions']['values']
    assert version['links'][0]['href'] == 'http://localhost/v2'


def test_under_a_prefix_links_have_it(store: SampleStore) -> None:
    api = wiring.client(store)
    wiring.keep(api, wiring.table())
    answer = webob.Request.blank(
        '/v2/meters?limit=1', base_url='http://here/telemetry'
    ).get_response(api.app)
    assert answer.headers['Link'].startswith(
        '<http://here/telemetry/v2/meters?limit=1&')


def test_pages_of_allowed_origins_may_ask(store: SampleStore) -> None:
    api = wiring.client(store, allowed_origins=['https://ui.test'])
    asked = {'Origin': 'https://ui.test',
             'Access-Control-Request-Method': 'GET',
             'Access-Control-Request-Headers': 'X-Auth-Token'}
    answer = api.options('/v2/samples', headers=asked, status=200)
    assert answer.headers['Access-Control-Allow-Origin'] == 'https://ui.test'
    answer = api.get('/v2/samples', headers={'Origin': 'https://ui.test'})
    assert answer.headers['Access-Control-Allow-Origin'] == 'https://ui.test'
    assert ID in answer.headers['Access-Control-Expose-Headers']
    for origin in ('https://evil.test', 'null'):
        answer = api.options('/v2/samples', headers={
            **asked, 'Origin': origin}, status=200)
        assert 'Access-Control-Allow-Origin' not in answer.headers
    answer = api.options('/v2/samples', status=405)
    assert answer.headers['Allow'] == 'GET'


def test_what_a_caller_has_is_not_sent_again(api: Any) -> None:
    wiring.keep(api, wiring.table())
    tag = api.get('/v2/meters').headers['ETag']
    assert re.fullmatch(r'W/"[0-9a-f]{32}"', tag)
    for given in (tag, f'"x", {tag}', '*', tag.removeprefix('W/')):
        answer = api.get('/v2/meters', headers={'If-None-Match': given},
                         status=304)
        assert answer.body == b''
        assert answer.headers['ETag'] == tag
        assert 'Content-Type' not in answer.headers
    assert api.get('/v2/meters', headers={'If-None-Match': '"x"'}).json
    wiring.keep(api, [wiring.posted(resource_id='new')])
    api.get('/v2/meters', headers={'If-None-Match': tag}, status=200)


def test_larger_answers_are_packed_for_who_takes_that(api: Any) -> None:
    wiring.keep(api, [wiring.posted(resource_id=f'r{number}')
                      for number in range(20)])
    plain = api.get('/v2/samples')
    assert 'Content-Encoding' not in plain.headers
    for accept in ('gzip', 'deflate, gzip;q=0.9, identity;q=0.5', '*'):
        answer = webob.Request.blank('/v2/samples', headers={
            'Accept-Encoding': accept}).get_response(api.app)
        assert answer.headers['Content-Encoding'] == 'gzip'
        assert gzip.decompress(answer.body) == plain.body
        assert len(answer.body) == int(answer.headers['Content-Length'])
        assert answer.headers['ETag'] == plain.headers['ETag']
        assert 'Accept-Encoding' in answer.headers['Vary']
    for accept in ('', 'identity', 'gzip;q=0', 'br', 'gzip;q=x'):
        answer = webob.Request.blank('/v2/samples', headers={
            'Accept-Encoding': accept}).get_response(api.app)
        assert 'Content-Encoding' not in answer.headers
    small = webob.Request.blank('/v2/samples?limit=1', headers={
        'Accept-Encoding': 'gzip'}).get_response(api.app)
    assert json.loads(small.body)


@contextlib.contextmanager
def served(api: Any, **values: Any) -> Iterator[str]:
    """The host and port where a server of ours answers."""
    server = WebServer(api.app, ('127.0.0.1', 0), threads=1, max_body=1000,
                       **values)
    stop = threading.Event()
    running = threading.Thread(target=server.run, args=(stop,))
    running.start()
    try:
        yield server.url.removeprefix('http://')
    finally:
        # It hears out whom it has refused.
        until(lambda: not server._server.active_channels, 60, 'quiet')
        stop.set()
        running.join()


def fetched(host: str, path: str, headers: dict[str, str]
            ) -> tuple[http.client.HTTPResponse, bytes]:
    with contextlib.closing(http.client.HTTPConnection(host)) as wire:
        wire.request('GET', path, headers={**headers, 'Connection': 'close'})
        answer = wire.getresponse()
        return answer, answer.read()


@pytest.mark.parametrize('behind_proxy', [True, False])
def test_our_server_hands_on_what_a_proxy_says_where_there_is_one(
        behind_proxy: bool) -> None:
    api = wiring.client(FakeStore(), behind_proxy=behind_proxy)
    with served(api, behind_proxy=behind_proxy) as host:
        for headers in FORWARDED:
            _, body = fetched(host, '/', headers)
            assert (b'https://cloud.test:8443/telemetry/v2' in body) == (
                behind_proxy)


def test_our_server_answers_below_a_prefix_and_gives_links_with_it(
        api: Any) -> None:
    wiring.keep(api, [wiring.posted(resource_id='a/b')])
    with served(api, path_prefix='/metering') as host:
        answer, body = fetched(host, '/metering/v2/resources/a%2Fb', {})
        assert answer.status == 200
        assert json.loads(body)['links'][0]['href'] == (
            f'http://{host}/metering/v2/resources/a%2Fb')


def test_what_our_server_refuses_by_itself_has_an_id_too(api: Any) -> None:
    with served(api) as host:
        answer, _ = fetched(host, '/', {'X-Large': 'x' * 300_000})
    assert answer.status == 431
    assert answer.headers[ID].startswith('req-')
