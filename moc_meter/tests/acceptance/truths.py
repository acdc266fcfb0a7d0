# SPDX-License-Identifier: Apache-2.0
"""Made-up worlds, sent and checked by the installed moc-meter."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moc_meter.tests.acceptance.system import (
    PATIENCE,
    Process,
    ask,
    configured,
    deployed,
    program,
)
from moc_meter.tests.servers.base import until
from moc_meter.truth.world import World

#: Of each world.
QUESTIONS = 500
_NOT_POLLED = {'polling.hypervisor': '', 'polling.hardware': ''}
#: Seconds that a command about one world may take on a busy machine.
_LONG = 280.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a command did."""

    status: int
    said: str
    complained: str

    @property
    def report(self) -> dict[str, Any]:
        """What it said with --json."""
        found: dict[str, Any] = json.loads(self.said)
        return found


def run(*arguments: object) -> Done:
    """moc-meter truth …"""
    done = subprocess.run(
        [program('moc-meter'), 'truth', *map(str, arguments)], check=False,
        capture_output=True, text=True, timeout=_LONG,
        stdin=subprocess.DEVNULL)
    return Done(status=done.returncode, said=done.stdout,
                complained=done.stderr)


def named(world: World) -> list[str]:
    """The options that name a world."""
    return ['--seed', str(world.seed), '--scale', world.scale,
            '--source', world.source,
            *(['--decimals'] if world.decimals else [])]


def standalone(stack: contextlib.ExitStack, folder: Path,
               environment: Mapping[str, str] | None = None) -> Process:
    """An all-in-one that keeps what it is sent, and polls nothing."""
    script = 'moc-meter-all-in-one'
    file = configured(folder, script, {
        **_NOT_POLLED, 'DEFAULT.state_dir': folder, 'api.port': 0})
    return stack.enter_context(Process(
        script, '--config-file', file, folder=folder,
        environment=environment))


def distributed(stack: contextlib.ExitStack, folder: Path, database: str,
                bus: str, agent: Mapping[str, object] | None = None
                ) -> Process:
    """Processes that share a broker and a database; their API.

    agent: settings of an agent, where there is one.
    """
    settings: dict[str, dict[str, object]] = {
        'moc-meter-collector': {'messaging.url': bus,
                                'database.url': database},
        'moc-meter-api': {'messaging.url': bus, 'database.url': database,
                          'api.port': 0}}
    if agent:
        settings['moc-meter-agent'] = {
            **_NOT_POLLED, 'messaging.url': bus,
            'DEFAULT.state_dir': folder / 'agent-state', **agent}
    return deployed(stack, folder, settings)['moc-meter-api']


def stored(url: str, source: str) -> list[dict[str, Any]]:
    """The samples of a source that are in the store."""
    found: list[dict[str, Any]] = json.loads(ask(
        url, f'/v2/samples?q.field=source&q.value={source}&limit=100000'
    ).body)
    return found


def await_samples(url: str, world: World, wanted: int) -> None:
    """Until so many are in the store."""
    until(lambda: len(stored(url, world.source)) >= wanted, PATIENCE,
          f'{wanted} samples of {world.source} in the store')


def seeds(variable: str, usual: int) -> range:
    """As many as are asked for by the environment."""
    return range(1, 1 + int(os.environ.get(variable, usual)))
