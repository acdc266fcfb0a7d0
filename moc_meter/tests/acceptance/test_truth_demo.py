# SPDX-License-Identifier: Apache-2.0
"""The demonstration: a research cloud that a newcomer may ask."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from moc_meter.tests.acceptance import truths
from moc_meter.tests.acceptance.system import Process
from moc_meter.tests.servers.base import until

#: Seconds that a test waits for it on a busy machine.
PATIENCE = 240
LAST = 'the next start finds the cloud there'


@contextlib.contextmanager
def started(folder: Path, state: Path) -> Iterator[Process]:
    with Process('moc-meter-all-in-one', '--demo', '--port', '0',
                 '--state-dir', state, folder=folder) as service:
        until(lambda: LAST in service.said or not service.running, PATIENCE,
              'the cloud to be loaded')
        assert LAST in service.said, service.last_words
        yield service


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp('demo')


@pytest.fixture(scope='module')
def demo(folder: Path) -> Iterator[Process]:
    with started(folder / 'first', folder / 'state') as service:
        yield service


def test_it_says_how_long_loading_took(demo: Process) -> None:
    assert int(demo.wait_for(r'It took (\d+) s\.')[1]) > 0
    assert demo.complained.count('WARNING') == 0


def test_every_question_that_it_shows_has_an_answer(demo: Process) -> None:
    lines = re.findall(r'^  (curl .+)$', demo.said, re.MULTILINE)
    assert len(lines) == 3
    for line in lines:
        done = subprocess.run(['/bin/sh', '-c', line], check=True,
                              capture_output=True, text=True)
        assert json.loads(done.stdout)


def test_the_check_that_it_shows_finds_its_answers_right(demo: Process
                                                         ) -> None:
    """Of every sample, and of a hundred questions by chance."""
    words = demo.wait_for(r'moc-meter truth (check .+)')[1].split()
    done = truths.run(*words, '--questions', 100)
    assert done.status == 0, done.said + done.complained
    assert 'questions: 100 asked, 0 ' in done.said


def test_the_next_start_finds_it_there(demo: Process, folder: Path) -> None:
    assert demo.end() == 0
    with started(folder / 'second', folder / 'state') as service:
        assert 'is being loaded' not in service.said
        assert len(figures(service)) == 3
        assert figures(service) == figures(demo)
        assert service.end() == 0


def figures(service: Process) -> list[str]:
    return [line for line in service.said.splitlines()
            if line.startswith(('Memory', 'Requests', 'Volumes'))]
