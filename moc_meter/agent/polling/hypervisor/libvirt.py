# SPDX-License-Identifier: Apache-2.0
"""Virtual machines as libvirt counts them (QEMU, KVM and its other drivers).

A turn begins with the list of guests, the statistics of all of them at once,
and each one's description. A figure that a driver leaves out of the
statistics is asked with the single call that gives the same.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from xml.etree import ElementTree

from moc_meter import errors
from moc_meter.agent.polling.hypervisor import base, domain

Answer = TypeVar('Answer')

# libvirt's numbers: virErrorNumber, and one virErrorDomain.
_INTERNAL, _NO_SUPPORT, _SYSTEM, _NO_DOMAIN, _NOT_RUNNING = 1, 3, 38, 42, 55
_FROM_RPC = 7

# The order of what the single calls answer.
_BLOCK = ('rd.reqs', 'rd.bytes', 'wr.reqs', 'wr.bytes')
_NET = ('rx.bytes', 'rx.pkts', 'rx.errs', 'rx.drop',
        'tx.bytes', 'tx.pkts', 'tx.errs', 'tx.drop')
_INFO_VCPUS, _INFO_TIME = 3, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """What a turn knows of a guest."""

    uuid: str
    state: base.PowerState
    described: ElementTree.Element
    figures: Mapping[str, Any]

    @property
    def off(self) -> bool:
        return self.state in base.OFF


class Libvirt:
    """The guests of one libvirt, by a connection for reading only."""

    def __init__(self, url: str) -> None:
        """Nothing is opened before the first question.

        url: 'qemu:///system', 'test:///default'.
        Raises InvalidConfiguration where the binding is not installed.
        """
        try:
            self._libvirt: Any = importlib.import_module('libvirt')
        except ImportError as fault:
            raise errors.MissingLibrary(
                'polling libvirt needs its Python binding; install '
                'libvirt-python', url=url, reason=str(fault)) from fault
        # Otherwise the library writes every fault to stderr by itself.
        self._libvirt.registerErrorHandler(lambda _context, _fault: None,
                                           None)
        self._url = url
        self._connection: Any = None
        self._turn: dict[str, _Reading] = {}

    def guests(self) -> list[base.Guest]:
        self._turn = self._ask(self._read)
        return [domain.guest(name, reading.uuid, reading.state,
                             reading.described)
                for name, reading in self._turn.items()]

    def cpu_time(self, name: str) -> int | None:
        return self._counted(name, 'cpu.time', _INFO_TIME)

    def vcpus(self, name: str) -> int | None:
        return self._counted(name, 'vcpu.current', _INFO_VCPUS)

    def memory(self, name: str) -> base.Memory | None:
        reading = self._reading(name)
        if reading.off:
            return None
        return domain.memory(
            domain.under(reading.figures, 'balloon')
            or self._ask_guest(reading, lambda guest: guest.memoryStats()))

    def disks(self, name: str) -> list[base.Disk]:
        reading = self._reading(name)
        devices = domain.devices(reading.described)
        if reading.off or not devices:
            return []
        known = domain.numbered(reading.figures, 'block')
        # The statistics have other figures for what is allocated, and none
        # for the drives of some drivers.
        return self._ask_guest(reading, lambda guest: [
            domain.disk(device,
                        known.get(device) or self._block(guest, device),
                        guest.blockInfo(device))
            for device in devices])

    def interfaces(self, name: str) -> list[base.Interface]:
        reading = self._reading(name)
        if reading.off:
            return []
        taps = domain.taps(reading.described)
        known = domain.numbered(reading.figures, 'net')
        if taps and 'net.count' not in reading.figures:
            known = self._ask_guest(reading, lambda guest: {
                tap: domain.said(_NET, guest.interfaceStats(tap))
                for tap in taps})
        return [domain.interface(tap, described, known[tap])
                for tap, described in taps.items() if tap in known]

    def _counted(self, name: str, figure: str, place: int) -> int | None:
        reading = self._reading(name)
        if reading.off:
            return None
        counted: int | None = reading.figures.get(figure)
        if counted is None:
            counted = self._ask_guest(
                reading, lambda guest: int(guest.info()[place]))
        return counted

    def _block(self, guest: Any, device: str) -> domain.Figures:
        figures = domain.said(_BLOCK, guest.blockStats(device))
        try:
            more = guest.blockStatsFlags(device)
        except self._libvirt.libvirtError as fault:
            if fault.get_error_code() != _NO_SUPPORT:
                raise
            more = {}
        return {**figures, 'rd.times': more.get('rd_total_times'),
                'wr.times': more.get('wr_total_times')}

    def _reading(self, name: str) -> _Reading:
        try:
            return self._turn[name]
        except KeyError:
            raise errors.InstanceGone('no such guest in this turn',
                                      name=name, url=self._url) from None

    def _read(self, connection: Any) -> dict[str, _Reading]:
        listed = connection.listAllDomains()
        figures = self._statistics(connection, listed)
        turn = {}
        for guest in listed:
            try:
                turn[guest.name()] = _read_guest(
                    guest, figures.get(guest.UUIDString(), {}))
            except self._libvirt.libvirtError as fault:
                if fault.get_error_code() != _NO_DOMAIN:
                    raise
        return turn

    def _statistics(self, connection: Any, listed: list[Any]
                    ) -> dict[str, Mapping[str, Any]]:
        """Statistics by uuid; libvirt leaves out guests that are gone."""
        if not listed:
            return {}
        try:
            return {guest.UUIDString(): figures for guest, figures
                    in connection.domainListGetStats(listed)}
        except self._libvirt.libvirtError as fault:
            if fault.get_error_code() != _NO_SUPPORT:
                raise
            return {}

    def _ask_guest(self, reading: _Reading,
                   question: Callable[[Any], Answer]) -> Answer:
        """Ask one guest; by its uuid, since its name may be given anew."""
        return self._ask(lambda connection: question(
            connection.lookupByUUIDString(reading.uuid)))

    def _ask(self, question: Callable[[Any], Answer]) -> Answer:
        """The answer; on a lost connection, that of a new one.

        Raises InstanceGone where a guest vanished, or was turned off since
        its state was read; HypervisorUnavailable after the second try.
        """
        lost = ''
        for _ in range(2):
            try:
                return question(self._connected())
            except self._libvirt.libvirtError as fault:
                code = fault.get_error_code()
                if code in (_NO_DOMAIN, _NOT_RUNNING):
                    raise errors.InstanceGone(str(fault)) from fault
                # Whether a connection lives is only seen by using it.
                if (code not in (_INTERNAL, _SYSTEM)
                        or fault.get_error_domain() != _FROM_RPC):
                    raise
                lost = str(fault)
                self._connection = None
        raise errors.HypervisorUnavailable('libvirt does not answer',
                                           url=self._url, reason=lost)

    def _connected(self) -> Any:
        if self._connection is None:
            try:
                self._connection = self._libvirt.openReadOnly(self._url)
            except self._libvirt.libvirtError as fault:
                raise errors.HypervisorUnavailable(
                    'libvirt cannot be reached', url=self._url,
                    reason=str(fault)) from fault
        return self._connection


def _read_guest(guest: Any, figures: Mapping[str, Any]) -> _Reading:
    # A guest that is off is in the statistics too, with a CPU time that is
    # not its own: so its state is looked at before its figures.
    state = figures.get('state.state')
    if state is None:
        state = guest.state()[0]
    return _Reading(uuid=guest.UUIDString(), state=base.PowerState(state),
                    described=domain.parsed(guest.XMLDesc()),
                    figures=figures)
