# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from moc_meter.tests.functional.cmd.command import COMMAND, Answer

BROKEN = Path(__file__).parents[2] / 'data' / 'broken_plugins'


def plugin(verb: str, *folders: Path) -> Answer:
    """With packages beside the installed ones."""
    path = os.pathsep.join([*map(str, folders),
                            os.environ.get('PYTHONPATH', os.getcwd())])
    done = subprocess.run([*COMMAND, 'plugin', verb, '--json'],
                          capture_output=True, timeout=60, check=False,
                          env={**os.environ, 'PYTHONPATH': path})
    return Answer(status=done.returncode, out=done.stdout,
                  err=done.stderr.decode())


def test_our_own_plugins_are_sound() -> None:
    answer = plugin('check')
    assert [one for one in answer.objects if not one['ok']] == []
    assert answer.status == 0


def test_a_plugin_is_listed_with_its_package_and_its_options() -> None:
    [said] = [one for one in plugin('list', BROKEN / 'name_clash').objects
              if one['package'] == 'name-clash']
    assert said == {
        'namespace': 'moc_meter.notification', 'name': 'volume.volume',
        'package': 'name-clash', 'version': '1.0',
        'options': ['[notification] plugins', '[notification] profiles'],
        'target': 'name_clash:Meters'}


@pytest.mark.parametrize(('folder', 'complaint'), [
    ('raises_at_import', 'the library of the mail server is missing'),
    ('wrong_attributes', 'event_types must be a tuple'),
    ('wrong_signature', 'must be callable with (tick, instances)'),
    ('yields_rubbish', 'what is no sample'),
    ('name_clash', 'its name is taken by moc-meter too')])
def test_a_broken_plugin_is_named_with_what_is_wrong(
        folder: str, complaint: str) -> None:
    answer = plugin('check', BROKEN / folder)
    [said] = [one for one in answer.objects
              if one['package'] == folder.replace('_', '-')]
    assert complaint in said['wrong'][0]
    assert answer.status == 1


def test_a_plugin_that_hangs_is_named_and_holds_up_no_other() -> None:
    answer = plugin('check', BROKEN / 'hangs')
    imported, made = (one for one in answer.objects
                      if one['package'] == 'hangs')
    assert 'not loaded after 5 s' in imported['wrong'][0]
    assert 'not made after 5 s' in made['wrong'][0]
    assert [one for one in answer.objects
            if not one['ok'] and one['package'] != 'hangs'] == []
    assert answer.status == 1


def test_a_namespace_that_nobody_loads_is_named(tmp_path: Path) -> None:
    folder = tmp_path / 'typo-1.dist-info'
    folder.mkdir()
    (folder / 'METADATA').write_text(
        'Metadata-Version: 2.1\nName: typo\nVersion: 1\n')
    (folder / 'entry_points.txt').write_text(
        '[moc_meter.notifications]\nmail = mail:Meters\n')
    answer = plugin('check', tmp_path)
    [said] = [one for one in answer.objects if not one['ok']]
    assert 'no such namespace' in said['wrong'][0]
    assert answer.status == 1
