# SPDX-License-Identifier: Apache-2.0
"""moc-meter truth, as somebody types it."""

from __future__ import annotations

import argparse
import base64
import contextlib
import http.server
import json
import shlex
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from moc_meter.cmd import application, credentials, shell
from moc_meter.cmd.truth import over_cloud, send
from moc_meter.tests.functional.api import live, wiring
from moc_meter.tests.servers.base import free_port
from moc_meter.truth import files
from moc_meter.truth.world import World

VERBS = ('make', 'send', 'check', 'ask')
CPU = '/v2/meters/cpu/statistics?groupby=project_id'
DOCUMENTATION = Path(__file__).parents[4] / 'doc' / 'source' / 'truth.rst'
#: What only some of the commands need.
LIGHT = """
import sys
from moc_meter.cmd import application
app = application.Shell()
for verb in 'make', 'send', 'check', 'ask':
    app.parser_of(*app.command(['truth', verb])[:2])
for heavy in 'kombu', 'oslo_messaging', 'sqlalchemy', 'pecan':
    assert heavy not in sys.modules, heavy
"""


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """What is asked, where it can be typed."""
    app = application.Shell()
    made, name, rest = app.command([*arguments])
    return app.parser_of(made, name).parse_args(rest)


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line on stderr of what could not be done."""
    assert shell.main(['truth', *map(str, arguments)]) == 2
    said = capsys.readouterr()
    assert said.out == ''
    return said.err.splitlines()[-1]


def test_every_example_of_a_help_does_what_it_says(
        sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
        ) -> None:
    with wiring.store(sqlite_url) as store, live.served(
            wiring.client(store)) as url:
        for verb in VERBS:
            with pytest.raises(SystemExit) as left:
                shell.main(['truth', verb, '--help'])
            assert left.value.code == 0
            examples = [shlex.split(line)[1:] for line
                        in capsys.readouterr().out.splitlines()
                        if line.startswith('  moc-meter truth')]
            assert examples
            for words in examples:
                assert shell.main([
                    {'/tmp/world': str(tmp_path / 'world'),
                     'http://127.0.0.1:8777': url}.get(word, word)
                    for word in words]) == 0, words


DOCUMENTED = [shlex.split(line)[1:] for line in
              DOCUMENTATION.read_text().splitlines()
              if line.startswith('    moc-meter truth ')]


@pytest.mark.parametrize('arguments', DOCUMENTED, ids=' '.join)
def test_every_command_of_the_documentation_can_be_typed(
        arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert parsed(arguments)
    if 'ask' in arguments:
        assert shell.main(arguments) == 0
        for line in capsys.readouterr().out.splitlines():
            assert isinstance(json.loads(line), dict)


def test_it_starts_without_the_libraries_of_buses() -> None:
    subprocess.run(
        [sys.executable, '-c', LIGHT], check=True)


def test_make_writes_the_world_the_same_again(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = tmp_path / 'one', tmp_path / 'other'
    for folder in (one, other):
        assert shell.main(['truth', 'make', '--seed', '7', '--to',
                           str(folder)]) == 0
    names = sorted(path.name for path in one.iterdir())
    assert names == ['notifications.jsonl', 'readings.jsonl',
                     'samples.jsonl', 'world.json']
    for name in names:
        assert (one / name).read_bytes() == (other / name).read_bytes()
    samples = [json.loads(line) for line
               in (one / 'samples.jsonl').read_text().splitlines()]
    assert [sample['message_id'] for sample in samples] == [
        sample.message_id for sample in World(7).samples()]
    assert f'{len(samples)} lines in' in capsys.readouterr().out


def test_make_does_not_write_over_files_unasked(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = ['truth', 'make', '--what', 'samples', '--to', str(tmp_path)]
    assert shell.main(made) == 0
    capsys.readouterr()
    said = refused(capsys, *made[1:])
    assert '--force' in said
    assert 'samples.jsonl' in said
    assert shell.main([*made, '--force']) == 0


def counted(folder: Path) -> set[str]:
    found: dict[str, int] = json.loads(
        (folder / 'world.json').read_text())['counts']
    return {*found}


def test_make_adds_files_to_those_of_the_same_world(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def made(what: str, seed: int) -> list[str]:
        return ['make', '--what', what, '--seed', str(seed), '--to',
                str(tmp_path)]

    for what in ('samples', 'notifications'):
        assert shell.main(['truth', *made(what, 7)]) == 0
    capsys.readouterr()
    assert counted(tmp_path) == {'samples.jsonl', 'notifications.jsonl'}
    assert 'another world' in refused(capsys, *made('readings', 8))
    assert shell.main(['truth', *made('readings', 8), '--force']) == 0
    assert counted(tmp_path) == {'readings.jsonl'}


@pytest.mark.parametrize('kind', ['samples', 'resources'])
def test_ask_says_that_there_is_no_such_thing(
        capsys: pytest.CaptureFixture[str], kind: str) -> None:
    question = f'/v2/{kind}/nope'
    assert shell.main(['truth', 'ask', question]) == 1
    said = capsys.readouterr()
    assert said.out == ''
    assert question in said.err


def test_ask_answers_from_the_truth(capsys: pytest.CaptureFixture[str]
                                    ) -> None:
    assert shell.main(['truth', 'ask', '--seed', '7', CPU]) == 0
    rows = [json.loads(line) for line
            in capsys.readouterr().out.splitlines()]
    assert {row['groupby']['project_id']: row['count'] for row in rows} == (
        Counter(one.project_id for one in World(7).samples()
                if one.meter == 'cpu'))
    assert shell.main(['truth', 'ask', '--seed', '7',
                       '/truth/usage/vcpus?by=project_id']) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0])


@pytest.mark.parametrize(('arguments', 'named'), [
    (['ask', '/v3/nothing'], '/v3/nothing'),
    (['ask', '/truth/nothing'], '/truth/nothing'),
    (['ask', '--scale', 'huge', '/v2/meters'], "'huge'"),
    (['ask', '--scale', 'instances=0', '/v2/meters'], '--scale'),
    (['send', '--api', 'localhost:8777'], '--api'),
    (['send', '--api', 'http://h:abc'], "option='--api', value='http://h:a"),
    (['send', '--api', 'http://[x'], "option='--api', value='http://[x'"),
    (['send', '--notifications', 'http://x'], "='--notifications', value='h"),
    (['send', '--notifications', 'rabbit://h:abc'], "value='rabbit://h:abc'"),
    (['send', '--bus', 'amqp://[x'], "option='--bus', value='amqp://[x'"),
    (['send', '--api', 'http://h', '--topic', 'x'], "option='--topic'"),
    (['send', '--api', 'http://h', '--queue', 'x'], 'with --bus'),
    (['send', '--api', 'http://h', '--signing-key', 'x'], '--signing-key'),
    (['send', '--bus', 'amqp://h', '--wait', '0'], 'with --api'),
    (['send', '--notifications', 'rabbit://h', '--order', 'time'],
     'with --api or --bus'),
    (['check', '--url', 'localhost:8777'], 'localhost:8777'),
    (['check', '--url', 'http://h:abc'], "option='--url', value='http://h:a"),
    (['check', '--url', 'http://[x'], "option='--url', value='http://[x'"),
    (['check', '--url', 'http://h', '--question', '/v2/meters?much=1'],
     "option='--question', value='/v2/meters?much=1'"),
    (['check', '--url', 'http://h', '--question', '/v2/meters?q.field=no'],
     "option='--question', value='/v2/meters?q.field=no'"),
    (['make', '--to', '/dev/null/folder'], '/dev/null/folder')])
def test_what_cannot_be_done_is_named(
        capsys: pytest.CaptureFixture[str], arguments: list[str],
        named: str) -> None:
    said = refused(capsys, *arguments)
    assert said.startswith('moc-meter: ')
    assert named in said


def test_a_cloud_that_is_away_is_named(
        capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
        ) -> None:
    monkeypatch.setattr(over_cloud, '_RETRIES', 0)
    said = refused(capsys, 'send', '--notifications',
                   f'rabbit://us:secret@127.0.0.1:{free_port()}/')
    assert '--notifications' in said
    assert 'secret' not in said


@pytest.mark.parametrize('arguments', [
    ['send', '--api', 'http://us:secret@h:abc'],
    ['send', '--api', 'http://us:secret/s@h'],
    ['send', '--notifications', 'rabbit://us:secret@h:abc'],
    ['send', '--notifications', 'http://us:secret@h'],
    ['check', '--url', 'http://us:secret@h:abc'],
    ['check', '--url', 'http://us:secret@[h']])
def test_a_password_is_not_shown(
        capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert 'secret' not in refused(capsys, *arguments)


@pytest.mark.parametrize('number', ['-5', 'many', '1.5'])
def test_questions_are_counted_in_whole_numbers(
        capsys: pytest.CaptureFixture[str], number: str) -> None:
    with pytest.raises(SystemExit) as left:
        shell.main(['truth', 'check', '--url', 'http://h', '--questions',
                    number])
    assert left.value.code == 2
    assert repr(number) in capsys.readouterr().err


def test_what_nobody_foresaw_says_nothing_of_the_service(
        capsys: pytest.CaptureFixture[str]) -> None:
    """Such a status is that of differences."""
    with (contextlib.suppress(OSError), Path('/dev/full').open('w') as full,
          contextlib.redirect_stdout(full)):
        assert shell.main(['truth', 'ask', CPU]) == 2
    assert 'No space left' in capsys.readouterr().err


def test_a_service_that_is_away_is_named(
        capsys: pytest.CaptureFixture[str]) -> None:
    url = f'http://127.0.0.1:{free_port()}'
    assert url in refused(capsys, 'send', '--api', url, '--wait', 0.2)
    assert url in refused(capsys, 'check', '--url', url)


class Moody(http.server.BaseHTTPRequestHandler):
    """Takes samples every other time, and is away for those who ask."""

    protocol_version = 'HTTP/1.1'
    taken: ClassVar[list[dict[str, Any]]] = []
    asked: ClassVar[list[int]] = []
    askers: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        self.askers.append(self.headers['Authorization'])
        self._answer(503, {'error': 'away'})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(
            int(self.headers['Content-Length'])))
        self.asked.append(len(body))
        self.askers.append(self.headers['Authorization'])
        if len(self.asked) % 2:
            self._answer(503, {'error': 'away'})
            return
        self.taken.extend(body)
        self._answer(200, [{'message_id': one['message_id'],
                            'status': 'stored'} for one in body])

    def _answer(self, status: int, said: object) -> None:
        content = json.dumps(said).encode()
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def moody() -> Iterator[str]:
    for kept in (Moody.taken, Moody.asked, Moody.askers):
        kept.clear()
    with http.server.HTTPServer(('127.0.0.1', 0), Moody) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f'http://127.0.0.1:{server.server_port}'
        server.shutdown()
        thread.join()


def test_what_a_service_does_not_take_is_sent_again(
        moody: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert shell.main(['truth', 'send', '--seed', '7', '--api', moody,
                       '--json']) == 0
    wanted = [json.loads(line) for line in files.lines(World(7).samples())]
    assert Moody.taken == wanted
    said = capsys.readouterr()
    assert json.loads(said.out)['stored'] == len(wanted)
    assert 'trying again' in said.err


def test_the_name_in_an_url_says_who_sends(
        moody: str, capsys: pytest.CaptureFixture[str]) -> None:
    url = moody.replace('//', '//us:se%20cret@')
    assert shell.main(['truth', 'send', '--api', url]) == 0
    assert set(Moody.askers) == {basic('us:se cret')}
    assert 'cret' not in capsys.readouterr().err


@pytest.mark.parametrize('asked', [
    [], ['--question', CPU, '--question', '/v2/meters']])
def test_a_service_of_errors_could_not_be_checked(
        moody: str, capsys: pytest.CaptureFixture[str], asked: list[str]
        ) -> None:
    assert shell.main(['truth', 'check', '--url', moody, *asked]) == 2
    assert '503' in capsys.readouterr().err.splitlines()[-1]


def test_the_environment_says_who_checks(
        moody: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By HTTP's basic authentication too."""
    for name, value in (('AUTH_TYPE', 'http_basic'), ('USERNAME', 'us'),
                        ('PASSWORD', 'secret')):
        monkeypatch.setenv(f'OS_{name}', value)
    credentials._session.cache_clear()
    try:
        shell.main(['truth', 'check', '--url', moody, '--question', CPU])
    finally:
        credentials._session.cache_clear()
    assert set(Moody.askers) == {basic('us:secret')}


def basic(both: str) -> str:
    return 'Basic ' + base64.b64encode(both.encode()).decode()


class Kept:
    """A way that ends here."""

    complete = True

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.things: list[int] = []

    def send(self, things: Sequence[int]) -> None:
        self.things += things

    def close(self) -> None:
        """There is nothing to close."""


def test_a_rate_is_kept() -> None:
    begun, way = time.monotonic(), Kept()
    assert send.deliver(range(13), way, rate=20) == 13
    assert way.things == [*range(13)]
    # The last one goes when twelve are due.
    assert time.monotonic() - begun >= 12 / 20
