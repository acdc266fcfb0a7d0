# SPDX-License-Identifier: Apache-2.0
"""moc-meter-manage retention, as an operator runs it."""

from __future__ import annotations

import datetime
import subprocess
import sys
from pathlib import Path

import pytest

from moc_meter import conf
from moc_meter.cmd import build_store
from moc_meter.model import period
from moc_meter.model.query import RetentionLevel
from moc_meter.model.sample import MeterKind
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.stores import count, migrated, sample

NOW = datetime.datetime.now(datetime.UTC)


@pytest.fixture
def settings(tmp_path: Path, sqlite_url: str) -> Path:
    path = tmp_path / 'meter.conf'
    path.write_text(f'[database]\nurl = {sqlite_url}\n'
                    '[retention]\nsamples = 10\n')
    return path


def manage(settings: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, '-m', 'moc_meter.cmd.manage', '--config-file',
         str(settings), *words],
        capture_output=True, text=True, timeout=120, check=False)


def test_a_dry_run_drops_nothing_and_says_what_a_run_then_drops(
        settings: Path, sqlite_url: str) -> None:
    with migrated(sqlite_url) as engine:
        SqlSampleStore(engine).write(
            [sample(days, timestamp=NOW - days * period.DAY)
             for days in range(30)]
            + [sample(100 + days, timestamp=NOW - days * period.DAY,
                      is_event=True, kind=MeterKind.EVENT, metadata={})
               for days in range(12)], NOW)
        dry = manage(settings, 'retention', 'run', '--dry-run')
        samples, events = dry.stdout.splitlines()
        assert samples.startswith('19 samples before ')
        assert events.startswith('1 events before ')
        assert count(engine, tables.sample) == 30
        assert count(engine, tables.event) == 12
        assert manage(settings, 'retention', 'journal').stdout == ''
        done = manage(settings, 'retention', 'run')
        assert done.stdout == dry.stdout.replace('would be', 'were')
        assert count(engine, tables.sample) == 11
        assert count(engine, tables.event) == 11
    journal = manage(settings, 'retention', 'journal').stdout
    assert 'samples=19' in journal
    assert 'events=1' in journal
    assert 'moc-meter-manage' in journal
    verified = manage(settings, 'rollup', 'verify')
    assert verified.returncode == 0
    assert 'cannot be verified' in verified.stdout


@pytest.mark.parametrize(('options', 'days'), [
    ('', {}), ('samples = 35', {'samples': 35, 'events': 35}),
    ('samples = 35\nevents = 7', {'samples': 35, 'events': 7}),
    ('samples = 35\nevents = 0', {'samples': 35}),
    ('events = 7', {'events': 7})])
def test_events_are_kept_as_long_as_samples_where_nothing_else_is_said(
        tmp_path: Path, options: str, days: dict[str, int]) -> None:
    path = tmp_path / 'meter.conf'
    path.write_text(f'[retention]\n{options}\n')
    settings = conf.load('moc-meter-jobs', ['--config-file', str(path)],
                         version='1')
    assert build_store.ages(settings) == {
        RetentionLevel(level): number * period.DAY
        for level, number in days.items()}


def test_nothing_is_dropped_where_no_age_is_set(settings: Path,
                                                sqlite_url: str) -> None:
    settings.write_text(f'[database]\nurl = {sqlite_url}\n')
    refused = manage(settings, 'retention', 'run')
    assert refused.returncode == 2
    assert 'kept for ever' in refused.stderr
    assert "options=['samples', 'events']" in refused.stderr
