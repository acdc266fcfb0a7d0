# SPDX-License-Identifier: Apache-2.0
"""Hypervisors to hold against the contract: a fake one and two real ones."""

from __future__ import annotations

import dataclasses
import importlib
import uuid
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from moc_meter.agent.polling.hypervisor import base
from moc_meter.agent.polling.hypervisor.libvirt import Libvirt
from moc_meter.testing.hypervisor import FakeHypervisor, Figures, disk
from moc_meter.tests.servers.guest import Guest, domain_xml
from moc_meter.tests.servers.libvirtd import Libvirtd


class FakeSubject:
    """The fake hypervisor, with guests like those of the real ones."""

    def __init__(self) -> None:
        self.fake = FakeHypervisor()
        self.hypervisor: base.Hypervisor = self.fake

    def new(self) -> Guest:
        guest = new_guest()
        self.add(guest)
        return guest

    def add(self, guest: Guest) -> None:
        self.fake.there[guest.name] = (base.Guest(
            id=guest.uuid, name=guest.name, state=base.PowerState.RUNNING,
            os_type='hvm', architecture='x86_64', nova=nova_metadata(guest)),
            Figures(vcpus=guest.vcpus,
                    memory=base.Memory(resident=65536, usage=None),
                    disks=[disk('vda'), disk('vdb')]))

    def turn_off(self, guest: Guest) -> None:
        there, figures = self.fake.there[guest.name]
        self.fake.there[guest.name] = (dataclasses.replace(
            there, state=base.PowerState.SHUT_OFF), figures)

    def remove(self, guest: Guest) -> None:
        del self.fake.there[guest.name]


class BuiltInSubject:
    """libvirt's built-in driver, whose guests live in this process."""

    url = 'test:///default'

    def __init__(self) -> None:
        self.hypervisor: base.Hypervisor = Libvirt(self.url)
        # Its guests live as long as somebody is connected.
        self.connection: Any = importlib.import_module('libvirt').open(
            self.url)

    def new(self) -> Guest:
        guest = new_guest()
        self.add(guest)
        return guest

    def add(self, guest: Guest) -> None:
        self.define(domain_of(guest))

    def define(self, xml: str) -> None:
        self.connection.defineXML(xml).create()

    def turn_off(self, guest: Guest) -> None:
        self.connection.lookupByName(guest.name).destroy()

    def remove(self, guest: Guest) -> None:
        self.turn_off(guest)
        self.connection.lookupByName(guest.name).undefine()

    def close(self) -> None:
        for domain in self.connection.listAllDomains():
            if domain.name() != 'test':
                if domain.isActive():
                    domain.destroy()
                domain.undefine()
        self.connection.close()


class QemuSubject:
    """QEMU under libvirtd, without KVM."""

    def __init__(self, server: Libvirtd) -> None:
        self.server = server
        self.hypervisor: base.Hypervisor = Libvirt(server.qemu_uri)

    def new(self) -> Guest:
        guest = new_guest()
        self.add(guest)
        return guest

    def add(self, guest: Guest) -> None:
        self.server.define_guest(guest)
        self.server.start_guest(guest)

    def turn_off(self, guest: Guest) -> None:
        self.server.stop_guest(guest)

    def remove(self, guest: Guest) -> None:
        self.turn_off(guest)
        self.server.virsh('undefine', guest.name)


def new_guest(**changes: Any) -> Guest:
    """A guest with a name of its own."""
    return Guest(**{'name': f'instance-{uuid.uuid4().hex[:8]}', **changes})


def domain_of(guest: Guest, metadata: str | None = None,
                interface: str = '') -> str:
    """A domain for libvirt's test driver.

    metadata: in place of Nova's.
    interface: what stands in its network interface beside the tap.
    """
    nova = nova_metadata(guest) if metadata is None else metadata
    return f"""\
<domain type='test'>
  <name>{guest.name}</name>
  <uuid>{guest.uuid}</uuid>
  <metadata>{nova}</metadata>
  <memory unit='MiB'>{guest.memory}</memory>
  <vcpu>{guest.vcpus}</vcpu>
  <os><type arch='x86_64'>hvm</type></os>
  <devices>
    <disk type='file' device='disk'>
      <source file='/images/{guest.name}'/><target dev='vda' bus='virtio'/>
    </disk>
    <disk type='network' device='disk'>
      <source protocol='rbd' name='vms/{guest.name}'/>
      <target dev='vdb' bus='virtio'/>
    </disk>
    <disk type='file' device='cdrom'>
      <target dev='hda' bus='ide'/><readonly/>
    </disk>
    <interface type='bridge'>
      <mac address='fa:16:3e:00:00:01'/>
      <source bridge='br-int'/>
      <target dev='tap-{guest.name[-8:]}'/>{interface}
    </interface>
    <memballoon model='virtio'/>
  </devices>
</domain>
"""


def nova_metadata(guest: Guest) -> str:
    """What Nova writes into the guest."""
    domain = ElementTree.fromstring(domain_xml(
        guest, raw=Path('/vda'), qcow2=Path('/vdb')))
    return ElementTree.tostring(domain.findall('metadata/*')[0],
                                encoding='unicode')
