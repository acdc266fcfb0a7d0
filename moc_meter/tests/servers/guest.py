# SPDX-License-Identifier: Apache-2.0
"""A virtual machine whose disk traffic is known to the byte.

It needs no operating system: its boot sector writes and reads through the
BIOS, and then halts for ever.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax import saxutils

SECTOR = 512
# What the boot sector does; one of the reads is that of the BIOS.
WRITE_REQUESTS, WRITE_BYTES = 5, 5 * SECTOR
READ_REQUESTS, READ_BYTES = 4, 4 * SECTOR

DISK_BYTES = 16 * 1024 * 1024

_BOOT_CODE = bytes.fromhex(
    '31c0 8ed8 8ec0 8ed0 bc007c'     # segments 0, stack below the code
    'b90200'                         # cx: cylinder 0, from sector 2
    'b80103 ba8000 bb0080 cd13'      # write one, first disk, from 0x8000
    '41 80f907 72ef'                 # the next one, before sector 7
    'b102'                           # again from sector 2
    'b80102 ba8000 bb0080 cd13'      # read one
    '41 80f905 72ef'                 # the next one, before sector 5
    'f4 ebfd')                       # halt; after an interrupt, halt again


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """A virtual machine as Nova defines it in libvirt."""

    name: str = 'instance-00000001'
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    display_name: str = 'Zürich – 東京 <1> & "2"'
    created: str = '2026-03-01 12:30:00'    # UTC
    flavor: str = 'm1.größe'
    vcpus: int = 2
    memory: int = 64                        # MiB
    disk: int = 1                           # GiB; what Nova sold, not a file
    ephemeral: int = 0                      # GiB
    swap: int = 0                           # MiB
    user_id: str = '0b5a3d9e6c1f4a7e8d2b9c0f1e2d3c4b'
    user_name: str = 'Zoë'
    project_id: str = '5f4d3c2b1a0f4e8d9c7b6a5f4e3d2c1b'
    project_name: str = 'Физика'
    image_id: str = '7c1f1b0e-3f0e-4f6e-9d57-9a1d0c5b2e11'


def boot_disk() -> bytes:
    """The image of the first disk, raw."""
    sector = _BOOT_CODE.ljust(SECTOR - 2, b'\0') + b'\x55\xaa'
    return sector.ljust(DISK_BYTES, b'\0')


def domain_xml(guest: Guest, *, raw: Path, qcow2: Path) -> str:
    """The domain for libvirt, with the metadata of Nova.

    Its network is QEMU's user-mode one, which needs no rights and of which
    libvirt has no figures.
    """
    return f"""\
<domain type='qemu'>
  <name>{_text(guest.name)}</name>
  <uuid>{guest.uuid}</uuid>
  <metadata>{_metadata(guest)}</metadata>
  <memory unit='MiB'>{guest.memory}</memory>
  <vcpu>{guest.vcpus}</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <boot dev='hd'/>
  </os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='{raw}'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='{qcow2}'/>
      <target dev='vdb' bus='virtio'/>
    </disk>
    <disk type='file' device='cdrom'>
      <target dev='hda' bus='ide'/>
      <readonly/>
    </disk>
    <interface type='user'><model type='virtio'/></interface>
    <memballoon model='virtio'><stats period='10'/></memballoon>
  </devices>
</domain>
"""


def _metadata(guest: Guest) -> str:
    return f"""
    <nova:instance xmlns:nova="http://openstack.org/xmlns/libvirt/nova/1.1">
      <nova:package version="26.2.1"/>
      <nova:name>{_text(guest.display_name)}</nova:name>
      <nova:creationTime>{guest.created}</nova:creationTime>
      <nova:flavor name={_attribute(guest.flavor)}>
        <nova:memory>{guest.memory}</nova:memory>
        <nova:disk>{guest.disk}</nova:disk>
        <nova:swap>{guest.swap}</nova:swap>
        <nova:ephemeral>{guest.ephemeral}</nova:ephemeral>
        <nova:vcpus>{guest.vcpus}</nova:vcpus>
      </nova:flavor>
      <nova:owner>
        <nova:user uuid={_attribute(guest.user_id)}>\
{_text(guest.user_name)}</nova:user>
        <nova:project uuid={_attribute(guest.project_id)}>\
{_text(guest.project_name)}</nova:project>
      </nova:owner>
      <nova:root type="image" uuid={_attribute(guest.image_id)}/>
    </nova:instance>
  """


def _text(value: str) -> str:
    return saxutils.escape(value)


def _attribute(value: str) -> str:
    return saxutils.quoteattr(value)
