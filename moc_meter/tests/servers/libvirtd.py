# SPDX-License-Identifier: Apache-2.0
"""libvirt with QEMU of the tests' own (Debian: libvirt-daemon).

As root, libvirt knows one system daemon for a machine, in paths that cannot
be changed, and that one belongs to whoever runs the machine. So this is a
session daemon, that of a user with a home and a runtime folder of our own.
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Mapping
from pathlib import Path

from moc_meter.tests.servers import base
from moc_meter.tests.servers.guest import Guest, boot_disk, domain_xml

_PACKAGES = {
    'virtlogd': 'libvirt-daemon',
    'libvirtd': 'libvirt-daemon',
    'virsh': 'libvirt-clients',
    'qemu-system-x86_64': 'qemu-system-x86',
    'qemu-img': 'qemu-utils',
}


class Libvirtd(base.Server):
    """libvirtd and virtlogd; its guests are emulated, without KVM.

    stop() and kill() end the guests too; what was defined stays defined.
    """

    system_user = 'libvirt-qemu'

    @property
    def qemu_uri(self) -> str:
        """Where libvirt's clients find it, whoever they run as."""
        return f'qemu+unix:///session?socket={self._socket("libvirt-sock")}'

    def define_guest(self, guest: Guest) -> None:
        """Define the guest with its disks; it is not started."""
        raw = self.folder / f'{guest.name}.raw'
        raw.write_bytes(boot_disk())
        self._give(raw)
        qcow2 = self.folder / f'{guest.name}.qcow2'
        self._run([_program('qemu-img'), 'create', '-q', '-f', 'qcow2',
                   qcow2, '8M'], 'qemu-img.log')
        domain = self._write(f'{guest.name}.xml', domain_xml(
            guest, raw=raw, qcow2=qcow2))
        self.virsh('define', str(domain))

    def start_guest(self, guest: Guest) -> None:
        """Start it and wait until it did all its disk traffic."""
        self.virsh('start', guest.name)
        base.until(lambda: self._written(guest) == '5', self.patience,
                   f'{guest.name} to write')

    def stop_guest(self, guest: Guest) -> None:
        """Cut its power; it stays defined."""
        self.virsh('destroy', guest.name)

    def stop_daemon(self) -> None:
        """End libvirtd alone: its guests run on, as on an upgrade."""
        daemon = self._roots.pop()
        daemon.terminate()
        daemon.wait(self.patience)

    def start_daemon(self) -> None:
        """Start libvirtd again after stop_daemon(); it finds its guests."""
        self._spawn([_program('libvirtd')], 'libvirtd.log')
        self._wait_until(self._serves)

    def virsh(self, *arguments: str) -> str:
        """What virsh answers; ServerFailed where it refuses."""
        answer = subprocess.run(
            [_program('virsh'), '--quiet', '-c', self.qemu_uri, *arguments],
            capture_output=True, text=True, timeout=self.patience,
            check=False)
        if answer.returncode:
            raise base.ServerFailed(f'virsh {arguments}: {answer.stderr}')
        return answer.stdout

    def _check_programs(self) -> None:
        for name in _PACKAGES:
            _program(name)

    def _prepare(self) -> None:
        self._give_folder('run')

    def _launch(self) -> None:
        # Ours, since the one that libvirtd starts for itself stays behind.
        self._spawn([_program('virtlogd')], 'virtlogd.log')
        self._wait_until(self._socket('virtlogd-sock').exists)
        self.start_daemon()

    def _halt(self) -> None:
        for name in self.virsh('list', '--name').split():
            self.virsh('destroy', name)
        self.stop_daemon()
        super()._halt()

    def _environment(self) -> Mapping[str, str]:
        return {**super()._environment(),
                'XDG_RUNTIME_DIR': str(self.folder / 'run')}

    def _serves(self) -> bool:
        with contextlib.suppress(base.ServerFailed):
            self.virsh('version')
            return True
        return False

    def _written(self, guest: Guest) -> str:
        figures = dict(line.strip().partition('=')[::2] for line in
                       self.virsh('domstats', '--block', guest.name)
                       .splitlines())
        return figures.get('block.0.wr.reqs', '')

    def _socket(self, name: str) -> Path:
        return self.folder / 'run' / 'libvirt' / name

    def _give_folder(self, name: str) -> None:
        folder = self.folder / name
        folder.mkdir(mode=0o700)
        self._give(folder)


def _program(name: str) -> str:
    return base.program(name, _PACKAGES[name])
