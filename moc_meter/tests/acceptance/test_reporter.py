# SPDX-License-Identifier: Apache-2.0
"""A program that reports, and the service it reports to, both killed.

Whatever was reported is stored once: nothing lost, nothing doubled.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from moc_meter.client import connect
from moc_meter.model import quantity
from moc_meter.tests.acceptance.system import PATIENCE, Process, configured
from moc_meter.tests.servers.base import free_port, until

#: Reports a number after the other, and says each that is safe.
PROGRAM = """
import sys
from moc_meter.client import Reporter
url, directory, first, count = sys.argv[1:]
with Reporter(url, directory, source='mine') as reporter:
    for number in range(int(first), int(first) + int(count)):
        reporter.report('mail.processed', number, unit='mail',
                        resource_id=f'mx{number % 3}')
        print(number, flush=True)
    print('waiting', reporter.flush(150), reporter.refused, flush=True)
"""


class Program:
    """The one that reports; started anew, it goes on with other numbers."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder, self._url = folder, url
        self._said = folder / 'said'
        self._said.touch()
        self._first = 0

    def start(self, count: int) -> subprocess.Popen[bytes]:
        """So many numbers from here on."""
        with self._said.open('ab') as said:
            process = subprocess.Popen(
                [sys.executable, '-c', PROGRAM, self._url,
                 self._folder / 'spool', str(self._first), str(count)],
                stdout=said)
        # What was not safe when it was killed may be stored, or may not; so
        # no number is given to two samples.
        self._first += count
        return process

    @property
    def safe(self) -> list[int]:
        """The numbers that it said it had reported."""
        return [int(line) for line in self._said.read_text().split('\n')[:-1]
                if line.isdecimal()]

    @property
    def last_words(self) -> str:
        return self._said.read_text().splitlines()[-1]


class Service:
    """An all-in-one, always of the same data at the same place."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        self._file = configured(folder / 'conf', 'moc-meter-all-in-one', {
            'polling.hardware': '', 'polling.hypervisor': ''})
        self._started: list[Process] = []
        self.url = f'http://127.0.0.1:{self._port}'

    def start(self) -> None:
        process = Process(
            'moc-meter-all-in-one', '--config-file', self._file, '--port',
            str(self._port), '--state-dir', self._folder / 'state',
            folder=self._folder / f'service-{len(self._started)}')
        self._started.append(process)
        process.wait_for('listens on')

    def wait_for(self, more: int) -> None:
        """So many samples more are stored."""
        with connect(self.url) as client:
            def count() -> int:
                rows = client.statistics('mail.processed')
                return rows[0].count or 0 if rows else 0

            before = count()
            until(lambda: count() >= before + more, PATIENCE,
                  f'{more} more than {before} samples to be stored')

    def kill(self) -> None:
        for process in self._started:
            process.kill()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path)
    yield made
    made.kill()


def test_nothing_is_lost_and_nothing_doubled(service: Service,
                                             tmp_path: Path) -> None:
    program = Program(tmp_path, service.url)
    # The service is away; the program is killed meanwhile.
    first = program.start(10_000)
    until(lambda: len(program.safe) > 150, PATIENCE, 'some to be reported')
    first.kill()
    first.wait()
    # Both are there; each is killed while samples go from one to the other.
    service.start()
    second = program.start(100_000)
    service.wait_for(300)
    service.kill()
    service.start()
    service.wait_for(1)
    second.kill()
    second.wait()
    last = program.start(100)
    assert last.wait(PATIENCE) == 0
    assert program.last_words == 'waiting 0 0'
    with connect(service.url) as client:
        stored = [one.volume for one in client.samples(
            meter='mail.processed')]
        [row] = client.statistics('mail.processed')
    assert len(set(stored)) == len(stored)      # nothing doubled
    assert set(program.safe) <= set(stored)     # nothing lost
    # What was being reported when it was killed had no answer yet.
    assert len(stored) - len(program.safe) <= 2
    assert (row.count, row.sum) == (len(stored), quantity.total(stored))
