# SPDX-License-Identifier: Apache-2.0
"""moc-meter in a shell: how it starts, is cut short, and is completed."""

from __future__ import annotations

import os
import pty
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from moc_meter.cmd import exits, shell
from moc_meter.tests.functional.client import cli_world, serving
from moc_meter.tests.functional.client.cli_world import Typing, World

MOC_METER = Path(sys.executable).with_name('moc-meter')
#: Asks a service, and says what it has loaded.
LOADED = """
import sys
from moc_meter.cmd import shell
shell.main(sys.argv[1:])
print(*sys.modules, file=sys.stderr)
"""
HEAVY = {'cmd2', 'openstack', 'pandas', 'numpy', 'matplotlib', 'sqlalchemy',
         'oslo_messaging', 'kombu', 'pecan', 'moc_meter.storage',
         'moc_meter.truth', 'moc_meter.api', 'moc_meter.agent', 'yaml',
         'moc_meter.client.commands.event'}
_COMPINIT = """
autoload -U compinit
compinit -D
source {}
echo $_comps[moc-meter]
"""
ONE = {'name': 'one', 'type': 'gauge', 'unit': '', 'resource_id': 'r',
       'project_id': None, 'user_id': None, 'source': 's', 'meter_id': 'x'}
COMPLETED = """
source {script}
COMP_WORDS=({words}) COMP_CWORD={last}
_moc_meter
echo "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def who(world: World) -> list[str]:
    """Options that say who asks whom."""
    return Typing(*world, None).who         # type: ignore[arg-type]


@pytest.fixture(scope='module')
def scripts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What completes it, by shell."""
    folder = tmp_path_factory.mktemp('scripts')
    made = {name: folder / f'moc-meter.{name}' for name in (
        'bash', 'zsh', 'fish')}
    for name, path in made.items():
        done = bash(f'moc-meter complete --shell {name} > {path}')
        assert (done.returncode, done.stderr) == (0, '')
    return made


def bash(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ['bash', '--norc', '-c', script], capture_output=True, text=True,
        check=False, timeout=60, env=cli_world.environment(
            PATH=f'{MOC_METER.parent}:{os.environ["PATH"]}'))


def test_it_loads_what_its_command_needs_only(who: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, '-c', LOADED, *who, 'meter', 'list'], check=True,
        capture_output=True, text=True, env=cli_world.environment())
    assert 'vcpus' in done.stdout
    assert not HEAVY & {*done.stderr.split()}


@pytest.mark.parametrize('form', ['table', 'json', 'csv'])
def test_who_reads_enough_may_leave(who: list[str], form: str) -> None:
    done = bash(f'moc-meter {shlex.join(who)} sample list --long -f {form} '
                '| head -n 0; echo ${PIPESTATUS[0]}')
    assert (done.stdout, done.stderr) == (f'{exits.PIPE}\n', '')


def test_it_may_be_interrupted_in_the_middle_of_a_page() -> None:
    begun = threading.Event()

    def stuck(to: serving.Stranger) -> None:
        serving.half(to)
        to.wfile.flush()
        begun.set()
        to.server.gone.wait(60)

    with (serving.strange(serving.page(ONE, marker='m'), stuck) as server,
          cli_world.started('meter', 'list', '--url', server.url, '-f',
                            'value', '-c', 'name') as process):
        assert begun.wait(60)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (shell.INTERRUPTED, 'one\n')
    assert err == 'moc-meter: interrupted\n'


def test_it_may_be_interrupted_while_it_is_loaded(tmp_path: Path) -> None:
    (tmp_path / 'cliff.py').write_text(
        'import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n')
    done = subprocess.run(
        [MOC_METER, 'meter', 'list'], check=False, capture_output=True,
        text=True, timeout=60,
        env=cli_world.environment(PYTHONPATH=str(tmp_path)))
    assert (done.returncode, done.stdout, done.stderr) == (
        shell.INTERRUPTED, '', 'moc-meter: interrupted\n')


def test_whoever_closes_stdout_is_told_so() -> None:
    done = bash('moc-meter meter list --url http://127.0.0.1:1 >&-')
    assert done.returncode == exits.REFUSED
    [only] = done.stderr.splitlines()
    assert only.startswith('moc-meter: stdout is closed')


def terminal(*words: str, pipe: str | None = None) -> str:
    """What a terminal of 100 columns shows of a command.

    pipe: the command that reads its output, in a shell.
    """
    ours, theirs = pty.openpty()
    line = shlex.join([str(MOC_METER), *words])
    with subprocess.Popen(
            ['bash', '-c', f'{line} | {pipe}' if pipe else line],
            stdin=theirs, stdout=theirs, stderr=theirs,
            env=cli_world.environment(COLUMNS='100')):
        os.close(theirs)
        shown = b''
        while True:
            try:
                shown += os.read(ours, 4096)
            except OSError:         # nobody is left to write
                break
    os.close(ours)
    return shown.decode().replace('\r\n', '\n')


def test_a_terminal_shows_how_far_it_is_and_a_plot(who: list[str]) -> None:
    listed = terminal(*who, 'sample', 'list', '--meter', 'vcpus')
    assert '\r\x1b[K1' in listed
    assert listed.count('vcpus') == 6
    plotted = terminal(*who, 'statistics', 'vcpus', '--period', 'hour',
                       '--month', '2026-03', '--plot')
    assert '█' in plotted
    assert 'avg of vcpus' in plotted
    assert max(map(len, plotted.splitlines())) <= 100


def test_nothing_is_drawn_over_a_pager(who: list[str]) -> None:
    for form in ('table', 'value'):
        shown = terminal(*who, 'sample', 'list', '--meter', 'vcpus', '-f',
                         form, pipe='cat')
        assert shown.count('vcpus') == 6
        assert '\x1b' not in shown


def test_output_that_cannot_be_spelled_is_spelled_otherwise(
        who: list[str]) -> None:
    done = bash(f'export PYTHONIOENCODING=ascii; moc-meter {shlex.join(who)} '
                'resource show i-1; '
                f'moc-meter {shlex.join(who)} resource show i-1 -f json')
    assert done.stderr == ''
    assert r'display_name=\u4e8c\u53f7' in done.stdout
    assert r'"display_name": "\u4e8c\u53f7"' in done.stdout


@pytest.mark.parametrize(('words', 'proposed'), [
    (['moc-meter', 'sam'], {'sample'}), (['moc-meter', '--ur'], {'--url'}),
    (['moc-meter', 'sample', ''], {'list', 'show', 'create'}),
    (['moc-meter', 'event', 't'], {'type', 'trait'}),
    (['moc-meter', 'event', 'trait', ''], {'list', 'value'}),
    (['moc-meter', 'sample', 'list', '--met'], {'--meter', '--metadata'}),
    (['moc-meter', 'sample', 'list', '--meter', 'x', '--pro'],
     {'--project'}),
    (['moc-meter', 'statistics', 'vcpus', '--gr'], {'--groupby'}),
    (['moc-meter', 'truth', 'ask', '--se'], {'--seed'})])
def test_bash_completes_commands_and_options(
        scripts: dict[str, Path], words: list[str], proposed: set[str]
        ) -> None:
    done = bash(COMPLETED.format(
        script=scripts['bash'], last=len(words) - 1,
        words=' '.join(word or "''" for word in words)))
    assert done.stderr == ''
    assert {*done.stdout.split()} == proposed


def test_fish_completes_commands_and_options(
        scripts: dict[str, Path]) -> None:
    for words, proposed in (('sample ', {'list', 'show', 'create'}),
                            ('sample list --met', {'--meter', '--metadata'}),
                            ('statistics vcpus --gr', {'--groupby'})):
        done = subprocess.run(
            ['fish', '--no-config', '-c',
             f'source {scripts["fish"]}; complete -C "moc-meter {words}"'],
            check=True, capture_output=True, text=True, timeout=60)
        assert {line.split('\t')[0] for line
                in done.stdout.splitlines()} == proposed, words


def test_zsh_reads_what_completes_it(scripts: dict[str, Path]) -> None:
    done = subprocess.run(
        ['zsh', '-f', '-c', _COMPINIT.format(scripts['zsh'])], check=True,
        capture_output=True, text=True, timeout=60)
    assert done.stdout == '_moc_meter\n'
    assert done.stderr == ''
