# SPDX-License-Identifier: Apache-2.0
"""What a command cannot do is one line that says why, and status 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from moc_meter.tests.functional.cmd.command import Manage, configured


@pytest.fixture
def manage(tmp_path: Path, sqlite_url: str) -> Manage:
    """The command, on a database without our schema."""
    return configured(tmp_path, {'database': {'url': sqlite_url},
                                 'retention': {'samples': '10'}})


@pytest.mark.parametrize('asked', [
    ('quarantine', 'list'), ('quarantine', 'show', '1'),
    ('quarantine', 'release', '1'), ('quarantine', 'purge', '--yes'),
    ('rollup', 'verify'), ('rollup', 'rebuild'),
    ('statistics', 'explain', 'vcpus'), ('retention', 'run'),
    ('retention', 'journal'), ('sample', 'load', '/dev/null'),
    ('db', 'reset', '--yes')], ids=' '.join)
def test_without_our_schema_it_says_what_to_do(
        manage: Manage, asked: tuple[str, ...]) -> None:
    answer = manage(*asked)
    assert (answer.status, answer.out) == (2, b'')
    [line] = answer.err.splitlines()
    assert 'db upgrade' in line


@pytest.mark.parametrize('asked', [
    ('statistics', 'explain', 'vcpus'), ('quarantine', 'list'),
    ('rollup', 'verify'), ('rollup', 'rebuild')], ids=' '.join)
def test_a_start_after_the_end_is_refused(manage: Manage,
                                          asked: tuple[str, ...]) -> None:
    answer = manage(*asked, '--start', '2026-03-02', '--end', '2026-03-01')
    assert (answer.status, answer.out) == (2, b'')
    [line] = answer.err.splitlines()
    assert '--start must not be after --end' in line


@pytest.mark.parametrize('verb', ['show', 'release'])
def test_what_is_no_number_of_a_row_is_refused(manage: Manage,
                                               verb: str) -> None:
    answer = manage('quarantine', verb, '9' * 22)
    assert (answer.status, answer.out) == (2, b'')
    assert 'not a number from 0 to' in answer.err
    assert 'Traceback' not in answer.err
