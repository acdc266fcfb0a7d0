# SPDX-License-Identifier: Apache-2.0
"""Virtual machines as libvirt counts them (QEMU, KVM and its other drivers).

A turn begins with the list of guests, the statistics of many of them at once,
and each one's description. What a driver leaves out of the statistics is
asked with the single call that gives the same.

One guest whose emulator is stuck holds every call about it: so it is left out
until it answers.
"""

from __future__ import annotations

import dataclasses
import functools
import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib import parse
from xml.etree import ElementTree

from moc_meter import errors
from moc_meter.agent.polling.hypervisor import base, domain
from moc_meter.agent.polling.hypervisor.connection import GONE, Connection

LOG = logging.getLogger(__name__)

Answer = TypeVar('Answer')

# libvirt's number of it: virErrorNumber.
_NO_SUPPORT = 3

# The order of what the single calls answer.
_BLOCK = ('rd.reqs', 'rd.bytes', 'wr.reqs', 'wr.bytes')
_NET = ('rx.bytes', 'rx.pkts', 'rx.errs', 'rx.drop',
        'tx.bytes', 'tx.pkts', 'tx.errs', 'tx.drop')
_INFO_VCPUS, _INFO_TIME = 3, 4
_KINDS = ('STATE', 'CPU_TOTAL', 'BALLOON', 'VCPU', 'INTERFACE', 'BLOCK',
          'PERF')

#: Guests whose statistics are asked at once.
_BULK = 100
#: The least part of the time-out that a guest is given, however many were
#: waited for in vain in this turn, and what they may take together, in
#: time-outs. There may be a storage below them that hangs.
_LEAST, _PATIENCE = 0.1, 4
#: Another with each start of this machine.
_BOOT = Path('/proc/sys/kernel/random/boot_id')
#: The name of calls about no guest.
_LIST = 'the list of guests'


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """What a turn knows of a guest. Small: there may be a thousand."""

    guest: base.Guest
    read_at: int                    # ns of the monotonic clock
    cpu_time: int | None = None
    vcpus: int | None = None
    memory: base.Memory | None = None
    perf: base.Perf | None = None
    blocks: Mapping[str, domain.Figures] = dataclasses.field(
        default_factory=dict)       # by device; those with a medium
    interfaces: Sequence[base.Interface] = ()


class Libvirt:
    """The guests of one libvirt, by a connection for reading only."""

    def __init__(self, url: str, timeout: float = 10.0) -> None:
        """Nothing is opened before the first question.

        url: 'qemu:///system', 'test:///default'.
        timeout: seconds that libvirt may take for one answer; what is waited
            for in vain in a turn is four times that.
        Raises InvalidConfiguration where the binding is not installed.
        """
        self._url = url
        self._timeout = timeout
        self._boot = _boot(url)
        self._connection = Connection(url)
        self._libvirt = self._connection.library
        self._turn: dict[str, _Reading] = {}
        self._disks: dict[str, list[base.Disk]] = {}
        self._said: set[str] = set()        # guests with a fault in the log
        self._bad: set[str] = set()         # guests with a fault in this turn
        self._waits: list[float] = []       # time-outs of this turn, in s
        self._left_out = False              # whether the turn ended early

    def guests(self) -> list[base.Guest]:
        try:
            known: list[str] = self._connection.ask(
                _LIST, lambda connection: [
                    guest.UUIDString() for guest
                    in connection.listAllDomains()], self._timeout)
        except TimeoutError as fault:
            raise errors.HypervisorUnavailable(
                'libvirt does not answer in time', url=self._url,
                reason=str(fault)) from fault
        self._end_turn(known)
        # Whoever kept us waiting is asked last, and delays nobody.
        ordered = sorted(known, key=lambda uuid: uuid in self._said)
        for start in range(0, len(ordered), _BULK):
            self._read_some(ordered[start:start + _BULK])
        return [reading.guest for reading in self._turn.values()]

    def cpu_time(self, name: str) -> int | None:
        return self._reading(name).cpu_time

    def vcpus(self, name: str) -> int | None:
        return self._reading(name).vcpus

    def memory(self, name: str) -> base.Memory | None:
        return self._reading(name).memory

    def perf(self, name: str) -> base.Perf | None:
        return self._reading(name).perf

    def power_state(self, name: str) -> base.PowerState:
        return self._reading(name).guest.state

    def read_at(self, name: str) -> int:
        return self._reading(name).read_at

    def interfaces(self, name: str) -> Sequence[base.Interface]:
        return self._reading(name).interfaces

    def disks(self, name: str) -> list[base.Disk]:
        reading = self._reading(name)
        if name not in self._disks and reading.blocks:
            # The statistics have other figures for what is allocated, and
            # none for the drives of some drivers.
            self._disks[name] = self._ask_guest(
                reading.guest.id, lambda guest: [
                    domain.disk(device, figures, guest.blockInfo(device))
                    for device, figures in reading.blocks.items()])
        return self._disks.get(name, [])

    def _reading(self, name: str) -> _Reading:
        try:
            return self._turn[name]
        except KeyError:
            raise errors.InstanceGone('no such guest in this turn',
                                      name=name, url=self._url) from None

    def _read_some(self, uuids: Sequence[str]) -> None:
        """Read guests into the turn; a fault costs its own guest."""
        figures = self._statistics(uuids)
        at = time.monotonic_ns()
        for uuid in uuids:
            read = functools.partial(self._read, bulk=figures.get(uuid, {}),
                                     at=at)
            try:
                reading: _Reading = self._ask_guest(uuid, read)
            except errors.InstanceGone:
                continue
            except (self._libvirt.libvirtError, ElementTree.ParseError,
                    errors.InvalidMessage, ValueError) as fault:
                self._tell(uuid, 'guest cannot be read', fault)
                continue
            self._turn[reading.guest.name] = reading

    def _statistics(self, uuids: Sequence[str]
                    ) -> dict[str, Mapping[str, Any]]:
        """Statistics by uuid; libvirt leaves out guests that are gone.

        Nothing where the driver has none, or one of the guests hangs or is
        odd: then each is asked for itself, and who it is comes out.
        """
        kinds = sum(getattr(self._libvirt, f'VIR_DOMAIN_STATS_{kind}')
                    for kind in _KINDS)
        # A guest that somebody waits for already comes without what that is.
        flags = self._libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
        wanted = set(uuids)
        try:
            return self._wait_for(
                f'{uuids[0]} and others', lambda connection: {
                    guest.UUIDString(): figures for guest, figures
                    in connection.domainListGetStats(
                        # Of this connection: the list may be of another.
                        [guest for guest in connection.listAllDomains()
                         if guest.UUIDString() in wanted], kinds, flags)})
        except (TimeoutError, errors.InstanceGone,
                self._libvirt.libvirtError):
            return {}

    def _read(self, guest: Any, bulk: Mapping[str, Any],
              at: int) -> _Reading:
        # A guest that is off is in the statistics too, with a CPU time that
        # is not its own: so its state is looked at before its figures.
        told = bulk.get('state.state')
        state = base.PowerState(guest.state()[0] if told is None else told)
        described = domain.parsed(guest.XMLDesc())
        off = state in base.OFF
        known = domain.guest(guest.name(), guest.UUIDString(), state,
                             described,
                             None if off else f'{self._boot}{guest.ID()}')
        if off:
            return _Reading(guest=known, read_at=at)
        cpu = [bulk.get('cpu.time'), bulk.get('vcpu.current')]
        if None in cpu:
            at, info = time.monotonic_ns(), guest.info()
            cpu = [info[_INFO_TIME], info[_INFO_VCPUS]]
        return _Reading(
            guest=known, read_at=at, cpu_time=cpu[0], vcpus=cpu[1],
            memory=domain.memory(
                domain.under(bulk, 'balloon')
                or self._single(guest, lambda: guest.memoryStats())),
            perf=domain.perf(domain.under(bulk, 'perf')),
            blocks=self._blocks(guest, described, bulk),
            interfaces=self._interfaces(guest, described, bulk))

    def _blocks(self, guest: Any, described: ElementTree.Element,
                bulk: Mapping[str, Any]) -> dict[str, domain.Figures]:
        known = domain.numbered(bulk, 'block')
        return {device: known.get(device) or self._block(guest, device)
                for device in domain.devices(described)}

    def _block(self, guest: Any, device: str) -> domain.Figures:
        counts = self._single(guest, lambda: domain.said(
            _BLOCK, guest.blockStats(device)))
        times = self._single(guest, lambda: guest.blockStatsFlags(device))
        return {**counts, 'rd.times': times.get('rd_total_times'),
                'wr.times': times.get('wr_total_times')}

    def _interfaces(self, guest: Any, described: ElementTree.Element,
                    bulk: Mapping[str, Any]) -> list[base.Interface]:
        taps = domain.taps(described)
        known = domain.numbered(bulk, 'net')
        if 'net.count' not in bulk:
            known = {tap: self._interface(guest, tap) for tap in taps}
        return [domain.interface(tap, element, known[tap])
                for tap, element in taps.items() if known.get(tap)]

    def _interface(self, guest: Any, tap: str) -> domain.Figures:
        return self._single(guest, lambda: domain.said(
            _NET, guest.interfaceStats(tap)))

    def _single(self, guest: Any, question: Callable[[], domain.Figures]
                ) -> domain.Figures:
        """Figures of a single call; none where the driver cannot say."""
        try:
            return question()
        except self._libvirt.libvirtError as fault:
            code = fault.get_error_code()
            if self._connection.is_lost(fault) or code in GONE:
                raise
            if code != _NO_SUPPORT:
                self._tell(guest.UUIDString(), 'guest lacks figures', fault)
            return {}

    def _ask_guest(self, uuid: str,
                   question: Callable[[Any], Answer]) -> Answer:
        """Ask one guest; by its uuid, since its name may be given anew.

        Raises InstanceGone where it does not answer in time, too.
        """
        if uuid in self._connection.hanging:
            self._bad.add(uuid)
            raise errors.InstanceGone('the guest did not answer before',
                                      uuid=uuid)
        try:
            return self._wait_for(uuid, lambda connection: question(
                connection.lookupByUUIDString(uuid)))
        except TimeoutError as fault:
            self._tell(uuid, 'guest does not answer, left out until it does',
                       fault)
            raise errors.InstanceGone('the guest does not answer',
                                      uuid=uuid) from fault

    def _wait_for(self, key: str,
                  question: Callable[[Any], Answer]) -> Answer:
        """Ask, and wait the less the more was waited for in this turn.

        Raises InstanceGone where too much was.
        """
        patience = _PATIENCE * self._timeout - sum(self._waits)
        if patience <= 0:
            if not self._left_out:
                LOG.warning('too many guests do not answer, the others are '
                            'left out in this turn: url=%s', self._url)
            self._left_out = True
            raise errors.InstanceGone('the turn is over', key=key)
        seconds = min(patience, self._timeout
                      * max(0.5 ** len(self._waits), _LEAST))
        try:
            return self._connection.ask(key, question, seconds)
        except TimeoutError:
            self._waits.append(seconds)
            raise

    def _tell(self, uuid: str, what: str, fault: Exception) -> None:
        """Log a guest's fault, unless the log has one of it already."""
        self._bad.add(uuid)
        if uuid not in self._said:
            self._said.add(uuid)
            LOG.warning('%s: uuid=%s url=%s reason=%r', what, uuid,
                        self._url, fault)

    def _end_turn(self, there: Collection[str]) -> None:
        """Log whose faults are over, and begin anew."""
        for uuid in sorted(self._said - self._bad - self._connection.hanging):
            self._said.remove(uuid)
            if uuid in there:
                LOG.info('guest is read again: uuid=%s url=%s', uuid,
                         self._url)
        self._turn, self._disks, self._bad = {}, {}, set()
        self._waits, self._left_out = [], False


def _boot(url: str) -> str:
    """What stands before a domain's id, to tell lives of a guest for ever.

    The ids begin anew when the machine starts, so it is which of its starts
    this is. Of a libvirt on another machine that is not to be had: it tells
    what machine it is, and not since when it runs. There the id stands
    alone, which tells a restart of a guest, and not of its host.
    """
    return '' if parse.urlsplit(url).hostname else (
        f'{_BOOT.read_text().strip()}:')
