# SPDX-License-Identifier: Apache-2.0
"""A small world behind a real API, and somebody who types questions."""

from __future__ import annotations

import contextlib
import datetime
import functools
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import bcrypt
import pytest

from moc_meter.api import identity
from moc_meter.cmd import shell
from moc_meter.model import traits
from moc_meter.model.sample import MeterKind, Sample
from moc_meter.tests.functional.api import wiring
from moc_meter.tests.functional.api.live import served

PASSWORD = 'wörd'
TEN = datetime.datetime(2026, 3, 1, 10, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
#: More digits than a double has.
LONG = Decimal('9007199254740993.000000001')
#: Of one resource.
MANY = {f'key{number:04}': str(number) for number in range(1000)}


class Said(NamedTuple):
    """What a command wrote, and its exit status."""

    status: int
    out: str
    err: str


class Typing(NamedTuple):
    """Somebody who types commands about a service, as its administrator."""

    url: str
    password_file: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *words: str) -> Said:
        """A command, in this process."""
        self.capsys.readouterr()
        try:
            status = shell.main([*self.who, *words])
        except SystemExit as left:
            status = int(left.code or 0)
        return Said(status, *self.capsys.readouterr())

    @property
    def who(self) -> list[str]:
        """Options that say who asks whom."""
        return ['--url', self.url, '--username', 'root', '--password-file',
                str(self.password_file)]


class World(NamedTuple):
    url: str
    password_file: Path


@contextlib.contextmanager
def world(folder: Path) -> Iterator[World]:
    """The service of the samples and events below."""
    users, word = folder / 'users', folder / 'word'
    kept = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    users.write_text(f'root:{kept}:genomics:admin\n'
                     f'member:{kept}:physics:member\n')
    word.write_text(f'{PASSWORD}\nand more\n')
    with wiring.store(f'sqlite:///{folder}/world.sqlite') as store:
        store.write([*samples(), *events()], wiring.NOW)
        api = wiring.client(store, identity=functools.partial(
            identity.Basic, users=identity.Users(users)))
        with served(api) as url:
            yield World(url, word)


def samples() -> Iterator[Sample]:
    """Of four hours, and a week later."""
    for number, volume in enumerate((2, 2, 4, 8)):
        yield _sample(f'v{number}', 'vcpus', 'vcpu', volume, hours=number)
    yield _sample('v4', 'vcpus', 'vcpu', 1, hours=1, resource_id='i-2',
                  project_id='physics', user_id=None)
    yield _sample('v5', 'vcpus', 'vcpu', 16, hours=7 * 24 + 1,
                  metadata={'display_name': '二号', 'disk': {'kind': 'hdd'}})
    for number, volume in enumerate((0, 5_400_000_000_000)):
        yield _sample(f'c{number}', 'cpu', 'ns', volume, hours=number,
                      kind=MeterKind.CUMULATIVE)
    yield _sample('n0', 'network.incoming.bytes', 'B', LONG,
                  kind=MeterKind.DELTA)
    yield _sample('w0', 'many', '', 1, resource_id='wide',
                  project_id='physics', metadata=MANY)


def _sample(message_id: str, meter: str, unit: str, volume: Decimal | int,
            hours: int = 0, kind: MeterKind = MeterKind.GAUGE,
            resource_id: str = 'i-1', project_id: str = 'genomics',
            user_id: str | None = 'zoë',
            metadata: Mapping[str, object] | None = None) -> Sample:
    return Sample(
        source='region-1', message_id=message_id, meter=meter, unit=unit,
        kind=kind, volume=Decimal(volume), timestamp=TEN + hours * HOUR,
        resource_id=resource_id, project_id=project_id, user_id=user_id,
        metadata=metadata or {'display_name': '猫 Zoë 🐈',
                              'disk': {'kind': 'ssd'}})


def events() -> Iterator[Sample]:
    for number, vcpus in enumerate((2, 4)):
        yield Sample(
            source='region-1', message_id=f'e{number}',
            meter='compute.instance.create.end', kind=MeterKind.EVENT,
            timestamp=TEN + number * HOUR, unit='event', volume=Decimal(1),
            resource_id='i-1', is_event=True, metadata={
                traits.USER: 'root', traits.PROJECT: 'genomics',
                'display_name': 'web', 'vcpus': vcpus})


def environment(**more: str) -> dict[str, str]:
    """Of a process that nobody has told who asks."""
    return {**{name: value for name, value in os.environ.items()
               if not name.startswith('OS_')}, **more}


def started(*words: str, **options: object) -> subprocess.Popen[str]:
    """A command in a process of its own."""
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
        [sys.executable, '-m', 'moc_meter.cmd.shell', *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment(), **options)
