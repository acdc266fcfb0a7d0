# SPDX-License-Identifier: Apache-2.0
"""Servers that are no API, or a bad one, or not there."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from moc_meter import errors
from moc_meter.client import (
    BadRequest,
    BrokenOff,
    Client,
    ClientFault,
    Meter,
    NoService,
    NotAnApi,
    NotFound,
    Overloaded,
    ServerFault,
    Unauthorized,
    Unreachable,
    Untrusted,
    connect,
    measured,
)
from moc_meter.tests.functional.client.serving import (
    Reply,
    half,
    hang,
    hang_up,
    page,
    refusal,
    reply,
    strange,
)
from moc_meter.tests.servers.base import free_port

TYPE = {'name': 'n', 'type': 't'}
HTML = reply(body=b'<!DOCTYPE html><title>Dashboard</title>',
             Content_Type='text/html; charset=utf-8')
SAMPLE = measured('m', 1, source='s', resource_id='r')
TAKEN = reply(body=b'[{"message_id": "x", "status": "stored"}]')


def ask(client: Client) -> object:
    return client.event_types()


def ingest(client: Client) -> object:
    return client.ingest([SAMPLE])


def search(client: Client) -> object:
    return list(client.query_samples())


def post(client: Client) -> object:
    return client.post([SAMPLE])


@pytest.mark.parametrize(('question', 'answer'), [
    (ask, reply()), (ingest, TAKEN), (search, reply())])
@pytest.mark.parametrize('bad', [
    refusal(429), refusal(502), refusal(503), reply(504, b'<html>'), half,
    hang_up], ids=['429', '502', '503', '504', 'half', 'no answer'])
def test_what_does_no_harm_is_asked_again(
        question: Callable[[Client], object], answer: Reply,
        bad: Reply) -> None:
    with strange(bad, bad, answer) as server, connect(server.url) as client:
        question(client)
        assert len(server.asked) == 3


@pytest.mark.parametrize('bad', [refusal(503), half, hang_up])
def test_what_might_be_taken_twice_is_sent_once(bad: Reply) -> None:
    with (strange(bad) as server, connect(server.url) as client,
          pytest.raises((Overloaded, Unreachable))):
        post(client)
    assert len(server.asked) == 1


@pytest.mark.parametrize(('bad', 'kind'), [
    (refusal(400), BadRequest), (refusal(401), Unauthorized),
    (refusal(404), NotFound), (refusal(500), ServerFault), (HTML, NotAnApi),
    (reply(body=b'{"not": "a list"}'), NotAnApi),
    (reply(301, Location='http://elsewhere.invalid/'), NotAnApi)])
def test_what_will_not_change_is_asked_once(
        bad: Reply, kind: type[ClientFault]) -> None:
    with (strange(bad) as server, connect(server.url) as client,
          pytest.raises(kind)):
        ask(client)
    assert len(server.asked) == 1


def test_it_is_not_asked_earlier_than_it_wants() -> None:
    with (strange(refusal(503, Retry_After='1'), reply()) as server,
          connect(server.url) as client):
        begun = time.monotonic()
        ask(client)
        assert time.monotonic() - begun >= 1


def test_patience_ends() -> None:
    with (strange(refusal(503, 'The store is away', Retry_After='60'))
          as server, connect(server.url, patience=0.5) as client,
          pytest.raises(Overloaded, match='The store is away') as found):
        ask(client)
    assert len(server.asked) == 1
    assert found.value.retry_after == 60


def test_a_server_that_hangs_is_given_up() -> None:
    with (strange(hang) as server,
          connect(server.url, timeout=0.2, patience=0) as client,
          pytest.raises(Unreachable, match='timed out')):
        ask(client)


def test_a_server_that_is_not_there_is_named() -> None:
    url = f'http://127.0.0.1:{free_port()}'
    with (connect(url, patience=0) as client,
          pytest.raises(Unreachable) as found):
        ask(client)
    assert str(found.value) == (
        f"no answer, or no whole one: url='{url}/v2/event_types', "
        f"reason='Connection refused'. {Unreachable.advice}")


def test_html_is_no_answer_and_the_error_says_what_to_try() -> None:
    with (strange(HTML) as server, connect(f'{server.url}/dashboard')
          as client, pytest.raises(NotAnApi) as found):
        ask(client)
    assert 'text/html' in str(found.value)
    assert f'{server.url}/dashboard/v2/event_types' in str(found.value)
    assert 'http://HOST:8777' in str(found.value)


@pytest.mark.parametrize('end', ['', '/', '/v2', '/v2/', '/v1'])
def test_the_version_may_stand_in_the_url(end: str) -> None:
    with strange(reply()) as server, connect(
            f'{server.url}/prefix{end}') as client:
        ask(client)
        [(path, _, _)] = server.asked
    assert path == '/prefix/v2/event_types'


def test_a_server_that_goes_between_pages_leaves_what_it_gave() -> None:
    meter = dict.fromkeys(('name', 'type', 'unit', 'resource_id',
                           'project_id', 'user_id', 'source', 'meter_id'), '')
    received: list[Meter] = []
    with (strange(page(meter, meter, marker='x'), half) as server,
          connect(server.url, patience=0) as client,
          pytest.raises(BrokenOff, match='not all') as found):
        received.extend(client.meters())
    assert len(received) == 2
    assert found.value.received == 2
    assert isinstance(found.value, Unreachable)
    paths = [path for path, _, _ in server.asked]
    assert paths[1].endswith('&marker=x')


def test_basic_credentials_are_sent_and_not_shown() -> None:
    with strange(reply()) as server:
        with_both = server.url.replace('//', '//us:se%40cret@')
        for client in (connect(with_both),
                       connect(server.url, username='us',
                               password='se@cret')):
            with client:
                ask(client)
            assert 'cret' not in repr(client.connection)
        (_, first, _), (_, second, _) = server.asked
    assert first['Authorization'] == second['Authorization'] == (
        'Basic dXM6c2VAY3JldA==')
    with pytest.raises(errors.InvalidConfiguration) as found:
        connect('ftp://us:secret@host/')
    assert 'secret' not in str(found.value)


def test_the_variables_of_openstack_say_who_asks(
        monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with strange(reply()) as server:
        for name, value in {'AUTH_TYPE': 'http_basic', 'USERNAME': 'us',
                            'PASSWORD': 'word', 'ENDPOINT': server.url
                            }.items():
            monkeypatch.setenv(f'OS_{name}', value)
        with connect() as client:
            ask(client)
        monkeypatch.undo()
        file = tmp_path / 'clouds.yaml'
        file.write_text(
            f'clouds: {{mine: {{auth_type: http_basic, auth: {{'
            f'username: us, password: word, endpoint: "{server.url}"}}}}}}')
        monkeypatch.setenv('OS_CLIENT_CONFIG_FILE', str(file))
        with connect(cloud='mine') as client:
            ask(client)
        (_, first, _), (_, second, _) = server.asked
    assert first['Authorization'] == second['Authorization'] == (
        'Basic dXM6d29yZA==')
    with pytest.raises(errors.InvalidConfiguration, match='yours'):
        connect(cloud='yours')


def test_nobody_knows_where_it_is() -> None:
    with pytest.raises(NoService, match='OS_CLOUD'):
        connect()


def test_a_server_that_nobody_vouches_for_is_not_trusted() -> None:
    with (strange(reply()) as server,
          connect(server.url.replace('http', 'https')) as client,
          pytest.raises(Untrusted, match='ca_file')):
        ask(client)


def test_certificates_that_are_not_there_are_named(tmp_path: Path) -> None:
    missing = str(tmp_path / 'nothing')
    with (connect('https://127.0.0.1:1', ca_file=missing) as client,
          pytest.raises(Untrusted, match=missing)):
        ask(client)
