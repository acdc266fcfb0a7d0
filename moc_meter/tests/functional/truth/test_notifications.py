# SPDX-License-Identifier: Apache-2.0
"""What the agent makes of the notifications of a made-up cloud."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from moc_meter.tests.functional.cmd.command import COMMAND
from moc_meter.truth import calendar, files
from moc_meter.truth.forms import Sample
from moc_meter.truth.world import World

SEEDS = range(1, 7)


@pytest.fixture(scope='module')
def explained(tmp_path_factory: pytest.TempPathFactory
              ) -> list[dict[str, Any]]:
    """Of all worlds, what the plugins make and what they do not."""
    folder = tmp_path_factory.mktemp('truth')
    paths = [folder / f'{seed}.jsonl' for seed in SEEDS]
    for seed, path in zip(SEEDS, paths, strict=True):
        write(World(seed), path)
    done = subprocess.run(
        [*COMMAND, 'notification', 'explain', '--profile',
         'metric,existence', *map(str, paths)],
        capture_output=True, timeout=120, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def write(world: World, path: Path) -> None:
    with path.open('w', encoding='utf-8') as file:
        files.write_notifications(world, file, lambda _: None)


def shown(sample: Sample) -> dict[str, object]:
    at = calendar.moment(sample.timestamp).replace(tzinfo=None)
    return {'name': sample.meter, 'type': sample.kind, 'unit': sample.unit,
            'volume': float(sample.exact), 'resource_id': sample.resource_id,
            'project_id': sample.project_id, 'user_id': sample.user_id,
            'timestamp': at.isoformat(), 'message_id': sample.message_id,
            'metadata': json.loads(json.dumps(sample.metadata))}


def test_plugins_make_of_notifications_what_they_must(
        explained: list[dict[str, Any]]) -> None:
    found = {one['message_id']: {name: value for name, value in one.items()
                                 if name != 'plugin'}
             for one in explained if 'name' in one}
    expected = {sample.message_id: shown(sample) for seed in SEEDS
                for sample in World(seed).notified()}
    assert found == expected
    assert len({one['name'] for one in found.values()}) > 30


def test_a_doubled_notification_gives_the_same_samples_again(
        explained: list[dict[str, Any]]) -> None:
    often = Counter(one['message_id'] for one in explained if 'name' in one)
    assert set(often.values()) == {1, 2}


def test_every_service_speaks() -> None:
    assert {one.exchange for seed in SEEDS
            for one in World(seed).notifications()} == {
        'nova', 'cinder', 'glance', 'neutron'}
