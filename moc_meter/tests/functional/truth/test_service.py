# SPDX-License-Identifier: Apache-2.0
"""Reading from a service, and what is said where that cannot be."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator
from decimal import Decimal

import pytest

from moc_meter.truth.service import Service, ServiceFailed

_ANSWERS = {
    '/x/v2/ok': (200, 'application/json', b'[1.00000000000000000001]'),
    '/x/v2/none': (404, 'application/json', b'null'),
    '/x/v2/secret': (401, 'text/html', b'Authentication required'),
    '/x/v2/page': (200, 'text/html', b'<html>It works!'),
    '/x/v2/broken': (200, 'application/json', b'[1,'),
    '/x/v2/nan': (200, 'application/json', b'[NaN]'),
    '/x/v2/huge': (200, 'application/json', b'[1e99999999999999999999]'),
    '/x/v2/deep': (200, 'application/json', b'[' * 200_000)}


class _Handler(http.server.BaseHTTPRequestHandler):
    """Answers, and closes the connection after each without a word."""

    protocol_version = 'HTTP/1.1'
    seen: list[dict[str, str]]

    def do_GET(self) -> None:
        self.seen.append(dict(self.headers))
        status, kind, content = _ANSWERS[self.path]
        self.send_response(status)
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Tests are quiet."""


@pytest.fixture
def url() -> Iterator[str]:
    _Handler.seen = []
    with http.server.HTTPServer(('127.0.0.1', 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f'127.0.0.1:{server.server_address[1]}/x'
        server.shutdown()
        thread.join()


def test_numbers_keep_all_their_digits(url: str) -> None:
    with Service(f'http://{url}/') as service:
        assert service.rows('/v2/ok') == [Decimal('1.00000000000000000001')]


def test_a_connection_that_was_closed_is_opened_again(url: str) -> None:
    with Service(f'http://{url}') as service:
        assert [service.get('/v2/none').status for _ in '123'] == [404] * 3


def test_it_says_who_asks(url: str) -> None:
    name_and_word = f'http://me:s%40crt@{url}'
    tokens = iter(('first', *['later'] * 3))
    with Service(name_and_word, headers=lambda: {
            'X-Auth-Token': next(tokens)}) as service:
        service.get('/v2/ok')
        service.get('/v2/ok')
    headers, later = _Handler.seen
    assert (headers['X-Auth-Token'], later['X-Auth-Token']) == (
        'first', 'later')
    assert headers['Authorization'] == 'Basic bWU6c0BjcnQ='
    assert 's%40crt' not in service.url


@pytest.mark.parametrize(('path', 'words'), [
    ('secret', 'give a token'), ('page', 'not the metering API'),
    ('broken', 'no JSON'), ('nan', 'NaN is no number'),
    ('huge', 'no JSON'), ('deep', 'no JSON')])
def test_what_is_no_answer_is_explained(url: str, path: str, words: str
                                        ) -> None:
    with (Service(f'http://{url}') as service,
          pytest.raises(ServiceFailed, match=words)):
        service.get(f'/v2/{path}')


def test_a_list_must_be_one(url: str) -> None:
    with (Service(f'http://{url}') as service,
          pytest.raises(ServiceFailed, match='answers 404')):
        service.rows('/v2/none')


def test_a_service_that_is_not_there_is_named() -> None:
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        url = f'http://127.0.0.1:{free.getsockname()[1]}'
        with (Service(url) as service,
              pytest.raises(ServiceFailed, match='cannot be reached')):
            service.get('/v2/ok')


def test_one_that_does_not_answer_is_not_waited_for_for_ever() -> None:
    with socket.socket() as silent:
        silent.bind(('127.0.0.1', 0))
        silent.listen()
        url = f'http://127.0.0.1:{silent.getsockname()[1]}'
        with (Service(url, timeout=0.2) as service,
              pytest.raises(ServiceFailed, match=r'in 0\.2 s')):
            service.get('/v2/ok')


@pytest.mark.parametrize('url', [
    'host:8777', 'ftp://host', 'http://', 'http://host:many',
    'http://host:70000', 'http://[::1', 'http://a b', 'http://host/?x=1'])
def test_what_can_be_no_service_is_refused(url: str) -> None:
    with pytest.raises(ServiceFailed, match='http://HOST:PORT'):
        Service(url)
