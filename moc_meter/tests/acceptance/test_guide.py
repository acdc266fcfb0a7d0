# SPDX-License-Identifier: Apache-2.0
"""The user guide, typed by somebody who reads it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from moc_meter.cmd import demonstration
from moc_meter.cmd import shell as commands
from moc_meter.tests.acceptance import guide, guide_truth
from moc_meter.tests.acceptance.guide import Shown
from moc_meter.tests.acceptance.test_truth_demo import started
from moc_meter.truth import compare, instants
from moc_meter.truth.forms import Sample
from moc_meter.truth.world import World

QUESTIONS = list(guide.questions())


class Shell(NamedTuple):
    """Of a reader, in a folder that is empty at first."""

    folder: Path
    url: str

    @property
    def variables(self) -> dict[str, str]:
        """Those that the guide has somebody set."""
        return {'OS_AUTH_TYPE': 'none', 'OS_ENDPOINT': self.url}

    def run(self, command: str) -> str:
        """What it prints; it must end well, and must not complain."""
        done = subprocess.run(
            ['/bin/sh', '-c', command], cwd=self.folder, check=False,
            capture_output=True, text=True, timeout=120, env={
                'PATH': os.pathsep.join((str(Path(sys.executable).parent),
                                         os.environ['PATH'])),
                'HOME': str(self.folder), 'LANG': 'C.UTF-8',
                **self.variables})
        assert (done.returncode, done.stderr) == (0, '')
        return done.stdout


@pytest.fixture(scope='module')
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    folder = tmp_path_factory.mktemp('guide')
    home = folder / 'home'
    home.mkdir()
    with started(folder / 'demo', folder / 'state') as service:
        yield Shell(home, service.url)


@pytest.fixture(scope='module')
def samples() -> list[Sample]:
    """All of the demonstration, of which the service is not asked."""
    return list(World(demonstration.SEED, demonstration.SCALE,
                      source=demonstration.SOURCE).samples())


def test_there_are_ten_questions_at_least_each_with_one_command() -> None:
    assert len(QUESTIONS) >= 10
    assert len({shown.question for shown in QUESTIONS}) == len(QUESTIONS)
    assert all(shown.command.startswith('moc-meter ')
               for shown in QUESTIONS)


@pytest.mark.parametrize('shown', QUESTIONS, ids=lambda one: one.question)
def test_what_is_shown_is_what_is_printed(shell: Shell, shown: Shown
                                          ) -> None:
    assert shell.run(shown.command) == shown.answer


@pytest.mark.parametrize('shown', QUESTIONS, ids=lambda one: one.question)
def test_and_is_the_truth(
        shell: Shell, samples: list[Sample], shown: Shown,
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
        ) -> None:
    """The same command, in this process, with its answer as JSON."""
    monkeypatch.chdir(shell.folder)
    for name, value in shell.variables.items():
        monkeypatch.setenv(name, value)
    _, *words = shlex.split(shown.command.replace('\\\n', ''))
    assert commands.main([*words, '-f', 'json']) == 0
    said: Any = json.loads(capsys.readouterr().out, parse_float=Decimal)
    rows = said if isinstance(said, list) else [said]
    truth = guide_truth.rows(shown.question, samples)
    assert [[name for name, value in row.items()
             if not compare.same(known(name, value), want[name])]
            for row, want in zip(rows, truth, strict=True)] == [
                [] for _ in truth]
    if '--plot' in words:
        assert 'sum of web.requests' in Path('requests.svg').read_text()


def known(name: str, value: object) -> object:
    """Instants as microseconds; whoever tells them says the offset."""
    return instants.read(value) if name in (
        'timestamp', 'period_start', 'last_sample_timestamp') else value
