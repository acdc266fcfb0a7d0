# SPDX-License-Identifier: Apache-2.0
"""What every publisher promises; see publisher/base.py."""

from __future__ import annotations

import errno
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from moc_meter import errors
from moc_meter.messaging import codec
from moc_meter.model.sample import Refused
from moc_meter.tests.contract import publishers
from moc_meter.tests.contract.publishers import BATCH, OPEN, kept, sample

BAD = Refused(content=b'\xff\0', code='moc_meter.sample.invalid',
              reason='no volume', origin='agent notification')


@pytest.fixture(params=sorted(OPEN))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / 'out'


def start(kind: str, path: Path, *failing: str) -> subprocess.Popen[str]:
    """The publisher in a process of its own."""
    return subprocess.Popen(
        [sys.executable, '-m', publishers.__name__, kind, path, *failing],
        stdout=subprocess.PIPE, text=True)


def test_what_was_published_is_there_in_its_order(kind: str, path: Path
                                                  ) -> None:
    publisher = OPEN[kind](path)
    publisher.publish([sample(n) for n in range(250)])
    publisher.publish([sample(250)])
    publisher.close()
    assert kept(kind, path) == [sample(n) for n in range(251)]


def test_what_was_refused_travels_along(kind: str, path: Path) -> None:
    publisher = OPEN[kind](path)
    publisher.publish([sample(1)], [BAD])
    publisher.close()
    [message] = publishers.KEPT[kind](path)
    assert codec.decode(message).refused == [BAD]


def test_nothing_published_is_nothing_kept(kind: str, path: Path) -> None:
    publisher = OPEN[kind](path)
    publisher.publish([])
    publisher.close()
    assert kept(kind, path) == []


def test_the_next_start_adds_to_what_is_kept(kind: str, path: Path) -> None:
    for number in range(3):
        publisher = OPEN[kind](path)
        publisher.publish([sample(number)])
        publisher.close()
    assert kept(kind, path) == [sample(n) for n in range(3)]


def test_several_threads_lose_nothing_of_each_other(kind: str, path: Path
                                                    ) -> None:
    publisher = OPEN[kind](path)

    def publish(thread: int) -> None:
        for n in range(20):
            publisher.publish([sample(thread * 100 + n)])

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(publish, range(4)))
    publisher.close()
    found = kept(kind, path)
    assert len(found) == 80
    for thread in range(4):
        own = [one for one in found if one.volume // 100 == thread]
        assert own == [sample(thread * 100 + n) for n in range(20)]


def test_what_was_promised_survives_a_kill(kind: str, path: Path) -> None:
    with start(kind, path) as process:
        assert process.stdout
        promised = [next(process.stdout) for _ in range(30)]
        process.kill()
    found = kept(kind, path)
    assert len(found) >= int(promised[-1]) * BATCH
    assert found == [sample(n) for n in range(len(found))]


def test_nothing_is_promised_that_the_disk_does_not_confirm(
        kind: str, path: Path) -> None:
    with start(kind, path, 'fsync,fdatasync', str(errno.EIO)) as process:
        said = process.communicate(timeout=60)[0].split()
    assert said[:1] == ['1']
    assert said[1:2] != ['2']


def test_a_full_disk_refuses_the_whole_batch(kind: str, path: Path) -> None:
    with start(kind, path, 'write,pwrite64', str(errno.ENOSPC)) as process:
        said = process.communicate(timeout=60)[0].split()
    assert said == ['1', errors.SpoolFull.code]
    assert kept(kind, path) == [sample(n) for n in range(BATCH)]


def test_a_second_owner_is_told_who_the_first_is(kind: str, path: Path
                                                 ) -> None:
    with start(kind, path) as process:
        assert process.stdout
        next(process.stdout)
        with pytest.raises(errors.InvalidConfiguration) as refusal:
            OPEN[kind](path)
        process.kill()
    assert refusal.value.facts == {'path': str(path),
                                   'pid': str(process.pid)}
    OPEN[kind](path).close()
