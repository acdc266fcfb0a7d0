# SPDX-License-Identifier: Apache-2.0
"""moc-meter truth, as somebody types it."""

from __future__ import annotations

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

from moc_meter.cmd import shell
from moc_meter.cmd.truth import send
from moc_meter.tests.servers.base import free_port
from moc_meter.truth import files
from moc_meter.truth.world import World

VERBS = ('make', 'send', 'check', 'ask')
CPU = '/v2/meters/cpu/statistics?groupby=project_id'
DOCUMENTATION = Path(__file__).parents[4] / 'doc' / 'source' / 'truth.rst'
#: What only some of the commands need.
LIGHT = """
import sys
from moc_meter.cmd import shell
shell.parser()
for heavy in 'kombu', 'oslo_messaging', 'sqlalchemy', 'pecan':
    assert heavy not in sys.modules, heavy
"""


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line on stderr of what could not be done."""
    assert shell.main(['truth', *map(str, arguments)]) == 2
    said = capsys.readouterr()
    assert said.out == ''
    return said.err.splitlines()[-1]


@pytest.mark.parametrize('verb', VERBS)
def test_every_help_has_an_example_that_can_be_typed(
        verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        shell.main(['truth', verb, '--help'])
    assert left.value.code == 0
    examples = [shlex.split(line) for line
                in capsys.readouterr().out.splitlines()
                if line.startswith('  moc-meter truth')]
    assert examples
    for _, *arguments in examples:
        assert shell.parser().parse_args(arguments).run


DOCUMENTED = [shlex.split(line)[1:] for line in
              DOCUMENTATION.read_text().splitlines()
              if line.startswith('    moc-meter truth ')]


@pytest.mark.parametrize('arguments', DOCUMENTED, ids=' '.join)
def test_every_command_of_the_documentation_can_be_typed(
        arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert shell.parser().parse_args(arguments).run
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
    (['check', '--url', 'localhost:8777'], 'localhost:8777'),
    (['make', '--to', '/dev/null/folder'], '/dev/null/folder')])
def test_what_cannot_be_done_is_named(
        capsys: pytest.CaptureFixture[str], arguments: list[str],
        named: str) -> None:
    said = refused(capsys, *arguments)
    assert said.startswith('moc-meter: ')
    assert named in said


def test_a_service_that_is_away_is_named(
        capsys: pytest.CaptureFixture[str]) -> None:
    url = f'http://127.0.0.1:{free_port()}'
    assert url in refused(capsys, 'send', '--api', url, '--wait', 0.2)
    assert url in refused(capsys, 'check', '--url', url)


class Moody(http.server.BaseHTTPRequestHandler):
    """Is away every other time, and takes everything else."""

    protocol_version = 'HTTP/1.1'
    taken: ClassVar[list[dict[str, Any]]] = []
    asked: ClassVar[list[int]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(
            int(self.headers['Content-Length'])))
        self.asked.append(len(body))
        if len(self.asked) % 2:
            self._answer(503, {'error': 'away'})
            return
        self.taken.extend(body)
        self._answer(200, [{'message_id': one['message_id'],
                            'status': 'stored'} for one in body])

    def _answer(self, status: int, said: object) -> None:
        content = json.dumps(said).encode()
        self.send_response(status)
        self.send_header('Content-Length', str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def moody() -> Iterator[str]:
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
