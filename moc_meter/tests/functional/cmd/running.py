# SPDX-License-Identifier: Apache-2.0
"""Real processes of the service, for the tests of how they are wired."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from moc_meter.tests.servers.base import until

Figures = Mapping[tuple[str, ...], float]


@contextlib.contextmanager
def running(process: str, folder: Path, options: str,
            path: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    """The process moc-meter-PROCESS, started; it ends well at the exit.

    path: a folder with packages that it sees besides those installed.
    Its log is in folder/log.
    """
    conf = folder / f'{process}.conf'
    conf.write_text(f'[DEFAULT]\nstate_dir = {folder}\n{options}')
    environment = {**os.environ, **({'PYTHONPATH': str(path)} if path else {})}
    with (folder / 'log').open('a') as log, subprocess.Popen(
            [sys.executable, '-m', f'moc_meter.cmd.{process}',
             '--config-file', conf], stdout=log,
            stderr=subprocess.STDOUT, text=True,
            env=environment) as started:
        try:
            until(lambda: 'started: ' in (folder / 'log').read_text()
                  or started.poll() is not None, 60, 'the process to start')
            yield started
            started.terminate()
            assert started.wait(60) == 0
        finally:
            started.kill()


def scrape(port: int) -> Figures:
    """What a process says of itself, by name and values of labels."""
    with urllib.request.urlopen(f'http://127.0.0.1:{port}/metrics',
                                timeout=60) as answer:
        text = answer.read().decode()
    return {(sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples}
