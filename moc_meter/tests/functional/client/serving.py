# SPDX-License-Identifier: Apache-2.0
"""What a client is tested against: our API, and servers that are not it."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from keystoneauth1 import noauth, session

from moc_meter.client import Client, connect
from moc_meter.tests.functional.api import described, wiring
from moc_meter.tests.functional.api.live import served

ADMIN = {'X-Roles': 'admin', 'X-Project-Id': 'p1', 'X-User-Id': 'u1'}
MEMBER = wiring.MEMBER


class Service(NamedTuple):
    """An API on a real socket, with the worked example, and who asked what."""

    url: str
    asked: list[tuple[str, str]]        # verb and path, as they came in

    @contextlib.contextmanager
    def client(self, headers: Mapping[str, str] = ADMIN) -> Iterator[Client]:
        """A client of somebody."""
        who = session.Session(auth=noauth.NoAuth(),
                              additional_headers={**headers})
        with connect(self.url, session=who) as made:
            yield made


class Watched(NamedTuple):
    """An application, and every request that it was given."""

    answer: Any
    asked: list[tuple[str, str]]

    @property
    def app(self) -> Any:
        return self

    def __call__(self, environ: dict[str, Any], start: Any) -> Any:
        self.asked.append((environ['REQUEST_METHOD'], environ['PATH_INFO']))
        return self.answer(environ, start)


@contextlib.contextmanager
def service(folder: Path, **values: Any) -> Iterator[Service]:
    """values: as wiring.client() takes them."""
    with wiring.store(f'sqlite:///{folder}/meter.sqlite') as store:
        api = wiring.client(store, groupby_metadata_keys=('instance_type',),
                            **values)
        api.post_json('/v2/ingest', described.samples())
        store.write(described.events(), wiring.NOW)
        asked: list[tuple[str, str]] = []
        with served(Watched(api.app, asked)) as url:
            yield Service(url, asked)


class Stranger(http.server.BaseHTTPRequestHandler):
    """Answers as its server is told to, a number of times each."""

    protocol_version = 'HTTP/1.1'
    server: Strange

    def do_GET(self) -> None:
        length = int(self.headers.get('Content-Length') or 0)
        body = self.rfile.read(length)
        self.server.asked.append((self.path, dict(self.headers), body))
        answers = self.server.answers
        # The last one is given for ever.
        (answers.pop(0) if len(answers) > 1 else answers[0])(self)

    do_POST = do_GET    # noqa: N815 - the library's name

    def log_message(self, *_: object) -> None:
        """Say nothing."""


Reply = Callable[[Stranger], None]


class Strange(http.server.ThreadingHTTPServer):
    """A real server that is no API, or a bad one."""

    daemon_threads = True

    def __init__(self, *answers: Reply) -> None:
        super().__init__(('127.0.0.1', 0), Stranger)
        self.answers = [*answers]
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.gone = threading.Event()   # those that hang wait for it

    @property
    def url(self) -> str:
        return f'http://127.0.0.1:{self.server_port}'

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is none."""


@contextlib.contextmanager
def strange(*answers: Reply) -> Iterator[Strange]:
    with Strange(*answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.gone.set()
            server.shutdown()
            thread.join()


def reply(status: int = 200, body: bytes = b'[]', **headers: str) -> Reply:
    """Whole, and at once."""
    def send(to: Stranger) -> None:
        to.send_response(status)
        for name, text in {'Content_Type': 'application/json',
                           'Content_Length': str(len(body)),
                           **headers}.items():
            to.send_header(name.replace('_', '-'), text)
        to.end_headers()
        to.wfile.write(body)
    return send


def refusal(status: int, text: str = 'No', **headers: str) -> Reply:
    """As the API refuses."""
    return reply(status, json.dumps({'error_message': {
        'faultcode': 'Client', 'faultstring': text, 'debuginfo': None}}
        ).encode(), **headers)


def page(*items: object, marker: str | None = None) -> Reply:
    """A page of a list, and what is behind it."""
    body = json.dumps(items).encode()
    if marker is None:
        return reply(body=body)
    return reply(body=body, Link='<http://elsewhere.invalid/v2/x?'
                                 f'marker={marker}>; rel="next"')


def half(to: Stranger) -> None:
    """The beginning of an answer, and no more of it."""
    to.close_connection = True
    to.send_response(200)
    to.send_header('Content-Length', '1000')
    to.end_headers()
    to.wfile.write(b'[{"name": "cpu"')


def hang(to: Stranger) -> None:
    """Never answer."""
    to.close_connection = True
    to.server.gone.wait(60)


def hang_up(to: Stranger) -> None:
    """End the connection without an answer."""
    to.close_connection = True
