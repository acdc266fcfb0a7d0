# SPDX-License-Identifier: Apache-2.0
"""No process of ours has eventlet in it: threads are threads.

Libraries under oslo.messaging take it where they find it, so an installation
must not have it; what counts is what is loaded in a process that has worked.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from moc_meter.storage import engine as engines
from moc_meter.tests.acceptance.system import Process, configured

#: Python imports this before anything else.
_HOOK = """
import atexit, os, sys
atexit.register(lambda: print(*sorted(sys.modules), sep='\\n',
                              file=open(os.environ['MODULES'], 'w')))
"""
#: What each says when it does what it is for.
SERVES = {'moc-meter-agent': 'listening exchanges',
          'moc-meter-collector': 'started: services',
          'moc-meter-jobs': 'started: services',
          'moc-meter-api': 'started: services',
          'moc-meter-all-in-one': 'listening exchanges'}


@pytest.fixture
def options(tmp_path: Path, amqp_url: str, sqlite_url: str
            ) -> dict[str, dict[str, object]]:
    cloud = {'notification.url': amqp_url.replace('amqp:', 'rabbit:'),
             'DEFAULT.state_dir': tmp_path / 'state',
             'polling.hypervisor': ''}
    bus, store = {'messaging.url': amqp_url}, {'database.url': sqlite_url}
    return {'moc-meter-agent': {**cloud, **bus},
            'moc-meter-collector': {**bus, **store},
            'moc-meter-jobs': {**store},
            'moc-meter-api': {**bus, **store, 'api.port': 0},
            'moc-meter-all-in-one': {**cloud, 'api.port': 0}}


def modules(folder: Path, script: str, settings: Mapping[str, object],
            until: str) -> set[str]:
    """What is loaded in the process at its end.

    until: what it says before it is ended.
    """
    file = configured(folder, script, settings)
    (folder / 'sitecustomize.py').write_text(_HOOK)
    with Process(script, '--config-file', file, folder=folder,
                 environment={'PYTHONPATH': str(folder),
                              'MODULES': str(folder / 'modules')}) as process:
        process.wait_for(until)
        assert process.end() == 0
    return set((folder / 'modules').read_text().split())


def test_no_process_loads_eventlet(
        tmp_path: Path, options: Mapping[str, Mapping[str, object]],
        sqlite_url: str) -> None:
    engine = engines.make_engine(sqlite_url)
    engines.migrate(engine)
    engine.dispose()
    for script, settings in options.items():
        found = modules(tmp_path / script, script, settings,
                        until=SERVES[script])
        assert {'moc_meter.cmd.build', 'threading'} <= found
        assert not {name for name in found
                    if name.partition('.')[0] == 'eventlet'}, script
