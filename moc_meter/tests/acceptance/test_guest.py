# SPDX-License-Identifier: Apache-2.0
"""A QEMU guest with exact disk traffic, from its libvirt to the API."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from moc_meter.tests.acceptance.installation import PATIENCE, Installation
from moc_meter.tests.servers import guest as guests
from moc_meter.tests.servers.base import until
from moc_meter.tests.servers.guest import Guest
from moc_meter.tests.servers.libvirtd import Libvirtd

#: Of each meter of the disk, what one boot of the guest adds.
BOOT = {'disk.device.write.bytes': guests.WRITE_BYTES,
        'disk.device.write.requests': guests.WRITE_REQUESTS,
        'disk.device.read.bytes': guests.READ_BYTES,
        'disk.device.read.requests': guests.READ_REQUESTS}


@pytest.fixture
def installed(tmp_path: Path, postgresql_url: str, amqp_url: str,
              libvirtd_server: Libvirtd) -> Iterator[Installation]:
    with Installation(tmp_path, {
            'DEFAULT': {'state_dir': tmp_path, 'sample_source': 'region-1'},
            'messaging': {'url': amqp_url},
            'database': {'url': postgresql_url},
            'polling': {'interval': 1, 'hardware': '',
                        'libvirt_uri': libvirtd_server.qemu_uri},
            'api': {'port': 0}}) as installation:
        installation.run('moc-meter-manage', 'db', 'upgrade')
        for name in ('collector', 'api', 'agent'):
            installation.start(f'moc-meter-{name}')
        yield installation


def lives(installed: Installation, meter: str,
          guest: Guest) -> list[list[int]]:
    """Readings of the guest's first disk, in order; a list for each life."""
    samples: list[dict[str, Any]] = installed.get(
        f'meters/{meter}', limit='10000', **{
            'q.field': 'resource_id', 'q.value': f'{guest.uuid}-vda'})
    samples.sort(key=lambda sample: str(sample['timestamp']))
    return [[int(sample['counter_volume']) for sample in life]
            for _, life in itertools.groupby(
                samples, lambda sample: sample['resource_metadata']['run'])]


def test_a_guest_is_metered_to_the_byte_through_two_lives(
        installed: Installation, libvirtd_server: Libvirtd) -> None:
    guest = Guest(name='instance-0000beef')

    def read(*lasts: int) -> None:
        """Wait until each life's last readings are those of its boots."""
        until(lambda: all(
            [life[-1] for life in lives(installed, meter, guest)]
            == [boots * once for boots in lasts]
            for meter, once in BOOT.items()), PATIENCE, f'boots {lasts}')

    libvirtd_server.define_guest(guest)
    libvirtd_server.start_guest(guest)
    read(1)
    # The same emulator goes on counting when the guest boots again …
    libvirtd_server.virsh('reset', guest.name)
    read(2)
    # … and another one begins anew.
    libvirtd_server.stop_guest(guest)
    libvirtd_server.start_guest(guest)
    read(2, 1)
    for meter, once in BOOT.items():
        first, second = lives(installed, meter, guest)
        assert [first, second] == [sorted(first), sorted(second)]
        assert (max(first), max(second)) == (2 * once, once)
