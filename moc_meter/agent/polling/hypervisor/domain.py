# SPDX-License-Identifier: Apache-2.0
"""What libvirt says of a domain, as our values; asks nothing itself.

A domain is described by XML; its statistics are typed parameters, of which
those of devices are numbered: 'block.0.rd.bytes', 'net.1.name'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from moc_meter import errors
from moc_meter.agent.polling.hypervisor import base

Element = ElementTree.Element
#: Statistics of one device by their names: {'rd.bytes': 2048}.
Figures = Mapping[str, Any]

#: Where Nova describes an instance: today's, and that of before 2021.
_NOVA = ('metadata/{http://openstack.org/xmlns/libvirt/nova/1.1}instance',
         'metadata/{http://openstack.org/xmlns/libvirt/nova/1.0}instance')


def parsed(description: str) -> Element:
    """The description as a tree.

    Raises InvalidMessage where it has a document type: libvirt writes none,
    and only a document type can bring entities.
    """
    if '<!DOCTYPE' in description:
        raise errors.InvalidMessage('the description of a domain must not '
                                    'have a document type')
    return ElementTree.fromstring(description)  # noqa: S314


def guest(name: str, uuid: str, state: base.PowerState,
          domain: Element, run: str | None = None) -> base.Guest:
    kind = domain.find('os/type')
    nova = next((found for path in _NOVA
                 if (found := domain.find(path)) is not None), None)
    return base.Guest(
        id=uuid, name=name, state=state, run=run,
        os_type=None if kind is None else kind.text,
        architecture=None if kind is None else kind.get('arch'),
        nova=(None if nova is None
              else ElementTree.tostring(nova, encoding='unicode')))


def memory(figures: Figures) -> base.Memory:
    """figures: in KiB; 'available' only where a balloon driver runs."""
    available = figures.get('available')
    free = figures.get('usable', figures.get('unused'))
    return base.Memory(
        resident=figures.get('rss'),
        assigned=figures.get('current', figures.get('actual')),
        usage=(None if available is None or free is None
               else available - free),
        available=available,
        swap_in=figures.get('swap_in'), swap_out=figures.get('swap_out'))


def perf(figures: Figures) -> base.Perf:
    return base.Perf(
        l3_cache=figures.get('cmt'),
        bandwidth_total=figures.get('mbmt'),
        bandwidth_local=figures.get('mbml'),
        cycles=figures.get('cpu_cycles'),
        instructions=figures.get('instructions'),
        cache_references=figures.get('cache_references'),
        cache_misses=figures.get('cache_misses'))


def devices(domain: Element) -> list[str]:
    """Disks with a medium: 'vda'. An empty drive has no <source>."""
    return [device for described in domain.iterfind('devices/disk')
            if described.find('source') is not None
            and (device := _attribute(described, 'target', 'dev'))]


def disk(device: str, figures: Figures, sizes: Sequence[int]) -> base.Disk:
    """sizes: capacity, allocation, physical; as blockInfo has them."""
    return base.Disk(
        device=device,
        read_requests=figures.get('rd.reqs'),
        read_bytes=figures.get('rd.bytes'),
        read_latency=figures.get('rd.times'),
        write_requests=figures.get('wr.reqs'),
        write_bytes=figures.get('wr.bytes'),
        write_latency=figures.get('wr.times'),
        capacity=sizes[0], allocation=sizes[1], physical=sizes[2])


def taps(domain: Element) -> dict[str, Element]:
    """Interfaces by the name of the host's end; those that have one."""
    return {tap: described
            for described in domain.iterfind('devices/interface')
            if (tap := _attribute(described, 'target', 'dev'))}


def interface(tap: str, described: Element,
              figures: Figures) -> base.Interface:
    return base.Interface(
        name=tap,
        mac=_attribute(described, 'mac', 'address'),
        filter=_attribute(described, 'filterref', 'filter'),
        port=_attribute(described, 'virtualport/parameters', 'interfaceid'),
        bridge=_attribute(described, 'source', 'bridge'),
        incoming=_traffic(figures, 'rx'), outgoing=_traffic(figures, 'tx'))


def under(figures: Figures, prefix: str) -> dict[str, Any]:
    """Figures whose names begin with the prefix and a dot, without both."""
    return {name.removeprefix(f'{prefix}.'): figure
            for name, figure in figures.items()
            if name.startswith(f'{prefix}.')}


def numbered(figures: Figures, prefix: str) -> dict[str, Figures]:
    """Figures of numbered devices, by the device's own name."""
    found: dict[str, dict[str, Any]] = {}
    for name, figure in under(figures, prefix).items():
        number, _, rest = name.partition('.')
        found.setdefault(number, {})[rest] = figure
    return {device['name']: device for device in found.values()
            if 'name' in device}


def said(names: Sequence[str], figures: Sequence[int]) -> Figures:
    """A single call's figures by name; -1 is what the driver cannot say."""
    return {name: figure for name, figure in zip(names, figures, strict=False)
            if figure >= 0}


def _traffic(figures: Figures, direction: str) -> base.Traffic:
    return base.Traffic(bytes=figures.get(f'{direction}.bytes'),
                        packets=figures.get(f'{direction}.pkts'),
                        errors=figures.get(f'{direction}.errs'),
                        drops=figures.get(f'{direction}.drop'))


def _attribute(described: Element, path: str, name: str) -> str | None:
    element = described.find(path)
    return None if element is None else element.get(name)
