# SPDX-License-Identifier: Apache-2.0
"""The all-in-one, as somebody sees it who starts it for the first time."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import signal
import socket
import sqlite3
import subprocess
import threading
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from moc_meter.model import quantity
from moc_meter.tests.acceptance.system import (
    PATIENCE,
    Process,
    ask,
    configured,
)
from moc_meter.tests.servers.base import is_alive, until

ANSWER = re.compile(
    r'CPU of (?P<host>\S+): mean (?P<mean>\S+) % of (?P<count>\d+) samples? '
    r'in \[(?P<start>\S+), (?P<end>\S+)\):\n  (?P<curl>curl .+)\n'
    r'Try next:\n  (?P<next>curl .+)\n  (?P<replay>.+ notification replay .+)')
LOAD = {'counter_name': 'load', 'counter_type': 'gauge',
        'counter_unit': 'task', 'resource_id': 'r'}


def start(folder: Path, *arguments: str | Path, state: Path | None = None,
          under: Sequence[str] = ()) -> Process:
    """One that reads this machine every two seconds, on a free port."""
    script = 'moc-meter-all-in-one'
    file = configured(folder, script, {'polling.interval': 2})
    where = ('--state-dir', state) if state else ()
    return Process(script, '--config-file', file, '--port', '0', *where,
                   *arguments, folder=folder, under=under)


def get(service: Process, path: str) -> Any:
    found = ask(service.url, path)
    assert found.status == 200, found.body
    return json.loads(found.body, parse_float=Decimal)


def run(line: str, folder: Path) -> str:
    """What a line prints that is typed into a shell."""
    done = subprocess.run(['/bin/sh', '-c', line], cwd=folder, check=False,
                          capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout


def spooled(state: Path) -> int:
    """Messages that wait in the spool of a process that has ended."""
    with contextlib.closing(sqlite3.connect(state / 'spool.sqlite')) as spool:
        (count,), = spool.execute('SELECT count(*) FROM message')
        return int(count)


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp('newcomer')


@pytest.fixture(scope='module')
def newcomer(folder: Path) -> Iterator[Process]:
    """Started without a thought about where its data lie."""
    with start(folder) as service:
        yield service
        assert service.end() == 0
        assert 'Traceback' not in service.said + service.complained


@pytest.fixture(scope='module')
def answer(newcomer: Process) -> dict[str, str]:
    return newcomer.wait_for(ANSWER).groupdict()


def test_it_says_where_it_listens_and_where_its_data_lie(
        newcomer: Process, folder: Path) -> None:
    assert newcomer.url.startswith('http://127.0.0.1:')
    state = folder / 'home' / '.local' / 'state' / 'moc_meter'
    assert newcomer.wait_for(r'Its data lie in (\S+)')[1] == str(state)
    assert {'samples.sqlite', 'spool.sqlite'} <= {
        path.name for path in state.iterdir()}
    assert state.stat().st_mode & 0o077 == 0


def test_its_first_answer_is_what_the_printed_curl_gets(
        newcomer: Process, answer: dict[str, str], folder: Path) -> None:
    [row] = json.loads(run(answer['curl'], folder), parse_float=Decimal)
    assert f'{row["avg"]:.2f}' == answer['mean']
    assert row['count'] == int(answer['count']) > 0
    assert answer['start'] <= row['duration_start'] <= row['duration_end']
    assert row['duration_end'] < answer['end']
    assert answer['host'] == socket.gethostname()
    # It takes two readings to tell how busy the CPUs were in between.
    [readings] = get(newcomer, '/v2/meters/hardware.cpu.time/statistics')
    assert readings['count'] >= 2


def test_the_next_command_lists_the_meters(answer: dict[str, str],
                                           folder: Path) -> None:
    names = {one['name'] for one in json.loads(run(answer['next'], folder))}
    assert 'hardware.cpu.util' in names


def test_it_lists_real_meters_of_this_machine(newcomer: Process,
                                              answer: dict[str, str]
                                              ) -> None:
    seen = {(one['name'], one['resource_id'])
            for one in get(newcomer, '/v2/meters?limit=1000')}
    host = answer['host']
    assert {('hardware.cpu.util', host), ('hardware.cpu.load.1min', host),
            ('hardware.memory.used', host),
            ('hardware.network.incoming.bytes', f'{host}.lo')} <= seen
    [row] = get(newcomer, '/v2/meters/hardware.memory.total/statistics')
    total = re.search(r'MemTotal: +(\d+) kB', Path('/proc/meminfo'
                                                   ).read_text())
    assert total is not None
    assert row['max'] == Decimal(total[1])


def test_statistics_are_those_of_the_samples_it_lists(
        newcomer: Process, answer: dict[str, str]) -> None:
    window = (f'q.field=timestamp&q.op=ge&q.value={answer["start"]}'
              f'&q.field=timestamp&q.op=lt&q.value={answer["end"]}')
    compared = 0
    for name in {one['name'] for one in get(
            newcomer, '/v2/meters?unique=True&limit=1000')}:
        listed = get(newcomer, f'/v2/meters/{name}?{window}&limit=10000')
        rows = {row['groupby']['resource_id']: row for row in get(
            newcomer, f'/v2/meters/{name}/statistics?{window}'
                      '&groupby=resource_id')}
        for resource, row in rows.items():
            volumes = [one['counter_volume'] for one in listed
                       if one['resource_id'] == resource]
            assert row['count'] == len(volumes)
            assert (row['min'], row['max']) == (min(volumes), max(volumes))
            assert float(row['sum']) == float(quantity.total(volumes))
            compared += len(volumes)
        assert sum(row['count'] for row in rows.values()) == len(listed)
    assert compared > 10


def test_the_replayed_life_of_an_instance_is_new_once(
        newcomer: Process, answer: dict[str, str], folder: Path) -> None:
    first = json.loads(run(answer['replay'], folder))
    again = json.loads(run(answer['replay'], folder))
    assert (first['stored'], first['duplicate']) == (31, 0)
    assert (again['stored'], again['duplicate']) == (0, 31)
    assert again['quarantined'] == again['missing'] == 0
    assert again['meters'] == first['meters']
    assert first['meters']['vcpus'] == [
        {'unit': 'vcpu', 'count': 5, 'sum': 8.0}]
    [row] = get(newcomer, '/v2/meters/vcpus/statistics')
    assert (row['sum'], row['count']) == (8, 5)


class Client(threading.Thread):
    """Posts sample after sample until nobody answers any more."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self.taken: list[str] = []      # ids of those that were answered
        self.denied: list[int] = []     # any other status

    def run(self) -> None:
        with contextlib.suppress(OSError):
            for number in itertools.count():
                body = json.dumps([{**LOAD, 'counter_volume': number}])
                found = ask(self._url, '/v2/meters/load', body=body.encode())
                if found.status != 201:
                    self.denied.append(found.status)
                    break
                self.taken.append(json.loads(found.body)[0]['message_id'])


@pytest.mark.parametrize('signals', [
    [signal.SIGTERM], [signal.SIGINT], [signal.SIGTERM] * 5,
    [signal.SIGINT, signal.SIGTERM, signal.SIGINT]],
    ids=lambda signals: '+'.join(one.name for one in signals))
def test_a_signal_ends_it_well_and_the_next_start_has_everything(
        tmp_path: Path, signals: Sequence[signal.Signals]) -> None:
    state = tmp_path / 'deep' / 'state'
    with start(tmp_path / '1', state=state) as service:
        client = Client(service.url)
        client.start()
        until(lambda: len(client.taken) > 3, PATIENCE, 'samples to be taken')
        before = get(service, '/v2/samples?limit=100000')
        for number in signals:
            service.send(number)
        assert service.wait() == 0
        client.join(PATIENCE)
        assert not client.is_alive()
        assert client.denied == []
        assert 'Traceback' not in service.said + service.complained
    assert spooled(state) == 0
    with start(tmp_path / '2', state=state) as service:
        after = get(service, '/v2/samples?limit=100000')
        assert service.end() == 0
    assert set(client.taken) <= {one['id'] for one in after}
    assert [one for one in after if one in before] == before


def test_it_ends_with_its_parent_where_it_is_told_so(tmp_path: Path) -> None:
    with start(tmp_path / '1', '--stop-with-parent', state=tmp_path / 'state',
               under=('/bin/sh', '-c', '"$0" "$@" & echo "child=$!"; wait')
               ) as shell:
        pid = int(shell.wait_for(r'child=(\d+)')[1])
        shell.wait_for('started: services')
        assert is_alive(pid)
        shell.kill()
        until(lambda: not is_alive(pid), PATIENCE, 'the child to end')
        assert 'stopped' in shell.complained.splitlines()[-1]
