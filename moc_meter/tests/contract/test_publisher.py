# SPDX-License-Identifier: Apache-2.0
"""What every publisher promises; see publisher/base.py."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from moc_meter import errors
from moc_meter.messaging import codec
from moc_meter.model.sample import Refused, Sample
from moc_meter.publisher.base import Publisher
from moc_meter.testing.publisher import PublisherSuite
from moc_meter.tests.contract import publishers
from moc_meter.tests.contract.publishers import BATCH, OPEN, kept, sample


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


class Place:
    """A publisher at a path."""

    def __init__(self, kind: str, path: Path) -> None:
        self._kind = kind
        self._path = path

    def open(self) -> Publisher:
        return OPEN[self._kind](self._path)

    def kept(self) -> tuple[list[Sample], list[Refused]]:
        batches = [codec.decode(message) for message
                   in publishers.KEPT[self._kind](self._path)]
        return ([one for batch in batches for one in batch.samples],
                [one for batch in batches for one in batch.refused])


class TestPublishers(PublisherSuite):
    """The spool before a bus, and the file."""

    @pytest.fixture
    def outlet(self, kind: str, path: Path) -> Place:
        return Place(kind, path)


# What only a process of its own can show

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
