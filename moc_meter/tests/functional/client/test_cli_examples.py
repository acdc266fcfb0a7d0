# SPDX-License-Identifier: Apache-2.0
"""Every command's help has examples, and they do what they say."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from cliff import command

from moc_meter.client.commands import options
from moc_meter.cmd import application
from moc_meter.tests.functional.api import wiring
from moc_meter.tests.functional.client import cli_world
from moc_meter.tests.functional.client.cli_world import Typing, World

#: What stands for an id of a thing in an example, by command.
IDS = {'sample show': 'v0', 'event show': 'e0'}
COMMANDS = [name for name, _ in application.Shell().command_manager
            if not name.startswith('truth')]
OF_SERVICE = [name for name in COMMANDS if name != 'complete']


@pytest.fixture
def asked(world: World, capsys: pytest.CaptureFixture[str],
          monkeypatch: pytest.MonkeyPatch) -> Typing:
    """At the time of the service."""
    monkeypatch.setattr(options, 'now', lambda: wiring.NOW)
    return Typing(*world, capsys)


def examples(help_text: str) -> list[list[str]]:
    """What is typed after 'moc-meter', for each example."""
    _, _, shown = help_text.partition('Examples::\n\n')
    return [shlex.split(line.partition(' > ~')[0])[1:]
            for line in shown.splitlines()
            if line.startswith('    moc-meter ')]


@pytest.mark.parametrize('name', COMMANDS)
def test_every_example_of_a_help_can_be_typed(
        asked: Typing, name: str, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    helped = asked(*name.split(), '--help')
    assert helped.status == 0
    found = examples(helped.out)
    assert found
    for words in found:
        assert words[:len(name.split())] == name.split()
        said = asked(*(IDS.get(name, word) if word == 'ID' else word
                       for word in words))
        assert said.status == 0, (words, said)


def test_the_overview_names_every_command(asked: Typing) -> None:
    said = asked('--help')
    assert said.status == 0
    for name in COMMANDS:
        assert f'\n  {name} ' in said.out
    assert max(map(len, said.out.splitlines())) < 80


@pytest.mark.parametrize('name', OF_SERVICE)
def test_it_runs_in_any_application_that_has_a_client(
        asked: Typing, name: str) -> None:
    """OpenStackClient names and builds them in its own way."""
    app = application.Shell()
    made: Any = app.command_manager.find_command(name.split())[0](
        app, None, cmd_name=f'metering {name}')
    assert isinstance(made, command.Command)
    parser = made.get_parser(f'openstack metering {name}')
    assert f'    openstack metering {name}' in parser.format_help()
    assert '--url' not in parser.format_help()


def test_a_table_is_short_and_the_others_are_whole(asked: Typing) -> None:
    short = asked('sample', 'list', '--limit', '1').out
    assert 'recorded_at' not in short
    assert 'recorded_at' in asked('sample', 'list', '--limit', '1',
                                  '--long').out
    [row] = json.loads(asked('sample', 'list', '--limit', '1', '-f',
                             'json').out)
    assert set(row) >= {'recorded_at', 'metadata', 'id'}
    assert asked('sample', 'list', '--limit', '1', '-c', 'id', '-f',
                 'value').out == 'v5\n'


@pytest.mark.parametrize(('words', 'ids'), [
    (['--project', 'physics', '--meter', 'vcpus'], ['v4']),
    (['--user', 'zoë', '--meter', 'cpu'], ['c1', 'c0']),
    (['--resource', 'i-2'], ['v4']), (['--source', 'nobody'], []),
    (['--metadata', 'disk.kind=hdd'], ['v5']),
    (['--metadata', 'display_name=二号', '--project', 'physics'], []),
    (['-q', 'resource=i-2;timestamp>=2026-03-01T11:00'], ['v4']),
    (['--query', 'metadata.key0001=integer::1'], []),
    (['--query', 'metadata.key0001=string::1'], ['w0']),
    (['--meter', 'vcpus', '--start', '2026-03-02'], ['v5']),
    (['--meter', 'cpu', '--end', '2026-03-01T11:00'], ['c0']),
    (['--meter', 'cpu', '--timezone', 'Asia/Tokyo', '--end',
      '2026-03-01T20:00'], ['c0']),
    (['--month', '2026-02'], []),
    (['--sort-column', 'volume', '--sort-descending', '--resource', 'i-1',
      '--meter', 'vcpus'], ['v5', 'v3', 'v2', 'v1', 'v0'])])
def test_options_select(asked: Typing, words: list[str],
                        ids: list[str]) -> None:
    said = asked('sample', 'list', *words, '-f', 'value', '-c', 'id')
    assert (said.status, said.out.split()) == (0, ids)


def test_a_period_of_the_calendar_has_the_samples_of_its_zone(
        asked: Typing) -> None:
    rows = json.loads(asked(
        'statistics', 'vcpus', '--period', 'month', '--timezone',
        'Pacific/Auckland', '-f', 'json').out)
    assert [(row['period_start'], row['period_end'], row['count'])
            for row in rows] == [
        ('2026-03-01T00:00:00+13:00', '2026-04-01T00:00:00+13:00', 6)]
    assert [row['count'] for row in json.loads(asked(
        'statistics', 'vcpus', '--period', 'day', '-f', 'json').out)] == [
        5, 1]


def test_a_plot_is_written_beside_the_rows(
        asked: Typing, tmp_path: Path) -> None:
    words = ('statistics', 'vcpus', '--period', 'hour', '-f', 'csv')
    for name, begins in (('x.svg', b'<?xml'), ('x.png', b'\x89PNG')):
        plotted = asked(*words, '--plot', str(tmp_path / name))
        assert plotted == asked(*words)
        assert (tmp_path / name).read_bytes().startswith(begins)


def test_a_created_sample_is_there_and_a_refused_one_says_so(
        asked: Typing) -> None:
    words = ('sample', 'create', 'lab.oven', '0.000000001', '--resource',
             'oven', '--type', 'delta', '--unit', 'h', '--timestamp',
             '2026-03-01T12:00', '--project', 'genomics', '--metadata',
             'who=Zoë')
    said = asked(*words, '-f', 'json')
    assert (said.status, json.loads(said.out)['status']) == (0, 'stored')
    [row] = json.loads(asked('sample', 'list', '--meter', 'lab.oven',
                             '--resource', 'oven', '-f', 'json').out)
    assert row['metadata'] == {'who': 'Zoë'}
    assert '0.000000001' in asked('sample', 'show', row['id'], '-f',
                                  'json').out
    late = asked(*words[:2], '1', *words[3:], '--timestamp', '2026-05-01')
    assert late.status == 1
    assert 'refused' in late.out


def test_a_thousand_metadata_are_shown_whole(asked: Typing) -> None:
    for words in (('resource', 'show', 'wide'),
                  ('sample', 'list', '--resource', 'wide', '--long')):
        shown = asked(*words)
        assert shown.status == 0
        assert shown.out.count('key') == 1000
        found = json.loads(asked(*words, '-f', 'json').out)
        one = found if isinstance(found, dict) else found[0]
        assert one['metadata'] == cli_world.MANY
