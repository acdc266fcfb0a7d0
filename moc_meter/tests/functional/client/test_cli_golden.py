# SPDX-License-Identifier: Apache-2.0
"""What each command writes, in every format, to the letter."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from moc_meter.tests.functional.client.cli_world import Typing

GOLDEN = Path(__file__).parent / 'golden'
LISTS = ('table', 'json', 'yaml', 'csv', 'value')
ONES = ('table', 'json', 'yaml', 'value')
#: Commands by the name of their files.
ASKED = {
    'meters': ('meter', 'list', '--project', 'genomics'),
    'samples': ('sample', 'list', '--resource', 'i-1', '--end',
                '2026-03-01T12:00'),
    'samples-berlin': ('sample', 'list', '--meter', 'cpu', '--long',
                       '--timezone', 'Europe/Berlin'),
    'resources': ('resource', 'list', '--project', 'genomics', '--long'),
    'history': ('resource', 'history', 'i-1'),
    'statistics': ('statistics', 'vcpus', '--month', '2026-03', '--period',
                   'week', '--groupby', 'project_id'),
    'aggregates': ('statistics', 'vcpus', '-a', 'max', '-a',
                   'cardinality/resource_id', '-a', 'stddev'),
    'digits': ('statistics', 'network.incoming.bytes'),
    'events': ('event', 'list', '--long'),
    'traits': ('event', 'trait', 'list', 'compute.instance.create.end'),
    'values': ('event', 'trait', 'value', 'list',
               'compute.instance.create.end', 'vcpus'),
    'types': ('event', 'type', 'list'),
    'users': ('user', 'list'), 'projects': ('project', 'list'),
    'sources': ('source', 'list', '--project', 'physics'),
    'query': ('query', 'samples', '--filter', '{">": {"volume": 4}}',
              '--orderby', '[{"volume": "desc"}]'),
    'empty': ('sample', 'list', '--meter', 'nothing'),
    'capabilities': ('capabilities',)}
SHOWN = {
    'sample': ('sample', 'show', 'n0'),
    'resource': ('resource', 'show', 'i-1'),
    'resource-then': ('resource', 'show', 'i-1', '--at',
                      '2026-03-01T10:30'),
    'event': ('event', 'show', 'e1')}


def dialogue(asked: Typing, name: str) -> str:
    """A command in every format, as it is seen on a screen."""
    shown = ''
    for form in LISTS if name in ASKED else ONES:
        words = [*{**ASKED, **SHOWN}[name], '-f', form]
        said = asked(*words)
        assert said.status == 0
        shown += f'$ moc-meter {shlex.join(words)}\n{said.out}{said.err}'
    return shown


@pytest.mark.parametrize('name', [*ASKED, *SHOWN])
def test_it_is_written_as_ever(asked: Typing, name: str) -> None:
    assert dialogue(asked, name) == (GOLDEN / f'{name}.txt').read_text(
        'utf-8')
