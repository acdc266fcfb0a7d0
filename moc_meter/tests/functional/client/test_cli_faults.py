# SPDX-License-Identifier: Apache-2.0
"""What cannot be done is one line that says what to do, and a status."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from moc_meter.cmd import exits, shell
from moc_meter.tests.functional.client import cli_world, serving
from moc_meter.tests.functional.client.cli_world import Said, Typing, World
from moc_meter.tests.servers.base import free_port

PAGE = b'<!DOCTYPE html><html><body><h1>It works!</h1></body></html>'


def typed(capsys: pytest.CaptureFixture[str], *words: str) -> Said:
    """A command without the options that say who asks whom."""
    capsys.readouterr()
    try:
        status = shell.main([*words])
    except SystemExit as left:
        status = int(left.code or 0)
    return Said(status, *capsys.readouterr())


def line(said: Said, status: int) -> str:
    """The one line that it says, and nothing else."""
    assert said.status == status, said
    assert said.out == ''
    [only] = said.err.splitlines()
    assert only.startswith('moc-meter')
    return only


@pytest.mark.parametrize(('words', 'shown'), [
    (('metre', 'list'), "'meter list'"),
    (('meter',), "'meter list'"), ((), '--help'),
    (('meter', 'list', '--nonsense'), 'moc-meter meter list --help'),
    (('meter', 'list', '--limit', '-1'), "'-1'"),
    (('meter', 'list', '-c', 'nonsense'), "'resource_id'"),
    (('resource', 'list', '--sort-column', 'nonsense'), "'resource_id'"),
    (('resource', 'show', ''), "name=''"),
    (('sample', 'show', '..'), "name='..'"),
    (('meter', 'list', '--project', 'a\udcff'), r"'a\udcff'"),
    (('meter', 'list', '-q', 'nonsense'), "'nonsense'"),
    (('meter', 'list', '-q', 'nonsense=1'), "'project'"),
    (('meter', 'list', '--metadata', 'nonsense'), 'KEY=VALUE'),
    (('sample', 'list', '--start', 'nonsense'), "'yesterday'"),
    (('sample', 'list', '--start', '-7d', '--month', '2026-03'),
     '--month'),
    (('sample', 'list', '--timezone', 'Europe/Berin'), 'Europe/Berlin'),
    (('statistics', 'vcpus', '--period', 'fortnight'), "'fortnight'"),
    (('statistics', 'vcpus', '-a', 'nonsense'), 'nonsense'),
    (('statistics', 'vcpus', '--plot'), '.svg'),
    *((('statistics', 'vcpus', '--plot', name), '.svg or .png')
      for name in ('x.gif', 'svg', 'a.', 'a.svg.gz')),
    (('statistics', '--plot', 'vcpus'), "not 'vcpus'; put METER first"),
    (('query', 'samples', '--filter', '{"="'), 'not valid'),
    (('sample', 'create', 'm', 'nonsense', '--resource', 'r', '--unit', '',
      '--type', 'delta'), "'nonsense'"),
    (('sample', 'create', 'm', '-.5', '--resource', 'r', '--unit', '',
      '--type', 'delta', '--timestamp', 'noon'), "'noon'")])
def test_a_refused_question_names_what_is_wrong(
        asked: Typing, words: Sequence[str], shown: str) -> None:
    assert shown in line(asked(*words), exits.REFUSED)


@pytest.mark.parametrize('words', [
    ('sample', 'show', 'nothing'), ('resource', 'show', 'nothing'),
    ('resource', 'history', 'nothing'), ('event', 'show', 'nothing')])
def test_what_is_not_there_has_a_status_of_its_own(
        asked: Typing, words: Sequence[str]) -> None:
    assert 'nothing Not Found' in line(asked(*words), exits.MISSING)


def test_a_request_is_named_as_the_log_has_it(asked: Typing) -> None:
    assert "request_id='req-" in line(asked('event', 'show', 'nothing'),
                                      exits.MISSING)


def test_a_wrong_password_is_told_without_it(
        asked: Typing, tmp_path: Path,
        capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / 'word').write_text('s3cret')
    said = line(asked('meter', 'list', '--password-file',
                      str(tmp_path / 'word')), exits.UNAUTHORIZED)
    assert '--password-file' in said
    assert 's3cret' not in said
    wrong = typed(capsys, 'meter', 'list', '--username', 'root', '--url',
                  asked.url, '--password-file', str(tmp_path / 'none'))
    assert 'No such file' in line(wrong, exits.REFUSED)


def test_a_password_may_be_in_the_environment(
        world: World, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    words = ('--url', world.url, '--username', 'root', 'project', 'list',
             '-f', 'value')
    assert '$OS_PASSWORD' in line(typed(capsys, *words), exits.REFUSED)
    monkeypatch.setenv('OS_PASSWORD', cli_world.PASSWORD)
    assert typed(capsys, *words).out == 'genomics\nphysics\n'


def test_a_password_on_the_command_line_is_warned_of(
        world: World, capsys: pytest.CaptureFixture[str]) -> None:
    url = world.url.replace('//', '//root:w%C3%B6rd@')
    said = typed(capsys, 'project', 'list', '-f', 'value', '--url', url)
    assert (said.status, said.out) == (0, 'genomics\nphysics\n')
    assert '--password-file' in said.err
    assert 'rd@' not in said.err


@pytest.mark.parametrize('words', [
    ('--username', 'root'), ('--password-file', 'word'),
    ('--url', 'http://root:s3cret@127.0.0.1:1')])
def test_a_cloud_and_a_name_do_not_both_ask(
        capsys: pytest.CaptureFixture[str], words: Sequence[str]) -> None:
    said = line(typed(capsys, 'meter', 'list', '--os-cloud', 'mine', *words),
                exits.REFUSED)
    assert "'--os-cloud'" in said
    assert f"'{words[0]}" in said
    assert 's3cret' not in said


def test_what_belongs_to_others_is_not_told(
        asked: Typing) -> None:
    member = ('--username', 'member')
    assert asked('project', 'list', '-f', 'value', *member).out == (
        'physics\n')
    for words in (('meter', 'list', '--project', 'genomics'),
                  ('event', 'type', 'list')):
        line(asked(*words, *member), exits.UNAUTHORIZED)


def test_a_service_that_is_away_is_named(
        capsys: pytest.CaptureFixture[str]) -> None:
    url = f'http://127.0.0.1:{free_port()}'
    said = line(typed(capsys, 'meter', 'list', '--url', url, '--patience',
                      '0'), exits.UNREACHABLE)
    assert url in said
    assert 'Connection refused' in said


def test_nobody_knows_whom_to_ask(capsys: pytest.CaptureFixture[str]
                                  ) -> None:
    assert '--url' in line(typed(capsys, 'meter', 'list'), exits.REFUSED)
    for url in ('nonsense', 'http://[::1', 'http://a..b'):
        assert repr(url) in line(typed(
            capsys, 'meter', 'list', '--url', url), exits.REFUSED)


@pytest.mark.parametrize(('reply', 'status', 'shown'), [
    (serving.reply(200, PAGE, Content_Type='text/html'), exits.BROKEN,
     'It works!'),
    (serving.reply(404, PAGE, Content_Type='text/html'), exits.BROKEN,
     'It works!'),
    (serving.reply(200, b'{"a": 1}'), exits.BROKEN, 'http'),
    (serving.refusal(500, 'bug'), exits.BROKEN, 'bug'),
    (serving.refusal(503, 'the database is away'), exits.UNREACHABLE,
     'the database is away'),
    (serving.refusal(401, 'who?'), exits.UNAUTHORIZED, 'who?'),
    (serving.refusal(403, 'not\nyou'), exits.UNAUTHORIZED, 'not you'),
    (serving.refusal(400, 'not\x1b[2Jyou'), exits.REFUSED, r'not\x1b[2Jyou'),
    (serving.half, exits.UNREACHABLE, 'http')])
def test_what_a_bad_server_says_is_one_line(
        capsys: pytest.CaptureFixture[str], reply: serving.Reply,
        status: int, shown: str) -> None:
    with serving.strange(reply) as server:
        assert shown in line(typed(capsys, 'meter', 'list', '--url',
                                   server.url, '--patience', '0'), status)


def test_who_signed_a_certificate_is_named_by_an_option(
        capsys: pytest.CaptureFixture[str]) -> None:
    with serving.strange(serving.reply()) as server:
        assert '--ca-file' in line(typed(
            capsys, 'meter', 'list', '--url',
            server.url.replace('http', 'https')), exits.REFUSED)


def test_it_hangs_up_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    closed = threading.Event()

    def listening(to: serving.Stranger) -> None:
        serving.reply()(to)
        if not to.rfile.read(1):
            closed.set()

    with serving.strange(listening) as server:
        assert typed(capsys, 'meter', 'list', '--url', server.url).status == 0
        assert closed.wait(60)


def test_a_list_that_breaks_off_keeps_what_came_before(
        capsys: pytest.CaptureFixture[str]) -> None:
    meter = {'name': 'one', 'type': 'gauge', 'unit': '', 'resource_id': 'r',
             'project_id': None, 'user_id': None, 'source': 's',
             'meter_id': 'x'}
    with serving.strange(serving.page(meter, marker='m'),
                         serving.refusal(500, 'bug')) as server:
        said = typed(capsys, 'meter', 'list', '--url', server.url, '-f',
                     'value', '-c', 'name')
    assert (said.status, said.out) == (exits.UNREACHABLE, 'one\n')
    assert 'received=1' in said.err


def test_debugging_shows_requests_and_no_secrets(world: World) -> None:
    words = Typing(*world, None).who        # type: ignore[arg-type]
    with cli_world.started(*words, 'project', 'list', '--debug') as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert 'genomics' in out
    assert 'GET ' in err
    assert '/v1/projects' in err
    for secret in (cli_world.PASSWORD, 'Basic', 'cm9vdDp3', 'SHA256',
                   'Authorization: '):
        assert secret not in err


def test_a_fault_of_ours_is_shown_whole(
        asked: Typing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('moc_meter.cmd.access.connect', lambda _: 1 / 0)
    said = asked('meter', 'list')
    assert said.status == exits.REFUSED
    assert 'Traceback' in said.err
    assert said.err.splitlines()[-1] == 'moc-meter: division by zero'
