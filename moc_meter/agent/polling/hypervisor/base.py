# SPDX-License-Identifier: Apache-2.0
"""The contract of a hypervisor (namespace moc_meter.hypervisor).

A poller asks one small question; a hypervisor answers them all. guests()
begins a turn and reads at once what can be read at once; the questions
afterwards are answered out of that reading as far as it goes, however many
pollers ask.

A figure that is None is one that the hypervisor does not say. A guest that is
off has no figures, but is still one of the guests. One that does not answer
in time is not among them until it does, and to a question in mid-turn it is
gone like one that is: no guest may hold up the others.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class PowerState(enum.IntEnum):
    """What a guest is doing; the numbers are those of Nova and libvirt."""

    NONE = 0
    RUNNING = 1
    BLOCKED = 2             # waits for a resource
    PAUSED = 3
    SHUTTING_DOWN = 4
    SHUT_OFF = 5
    CRASHED = 6
    SUSPENDED = 7           # by the guest itself


#: In these no process runs for the guest; figures would be of another time.
OFF = frozenset({PowerState.SHUT_OFF, PowerState.CRASHED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """A virtual machine, whoever made it."""

    id: str                         # its uuid, in lower case
    name: str                       # 'instance-0000000a'; unique on the host
    state: PowerState
    os_type: str | None             # 'hvm'
    architecture: str | None        # 'x86_64'
    nova: str | None                # what Nova wrote into it: <instance> XML
    #: Which of its lives on this host, for ever; None where it is off, or
    #: not said. Its counters begin anew with each.
    run: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Memory of a guest, in KiB."""

    resident: int | None            # what it has of the host's memory
    assigned: int | None = None     # what the balloon leaves to the guest
    # The following only where a balloon driver runs in the guest.
    usage: int | None               # what its system uses
    available: int | None = None    # what its system sees
    swap_in: int | None = None      # read from swap, since it started
    swap_out: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A disk with a medium; what is read and written counts from its start."""

    device: str                     # as the guest's bus has it: 'vda'
    read_requests: int | None
    read_bytes: int | None
    read_latency: int | None        # ns, all reads together
    write_requests: int | None
    write_bytes: int | None
    write_latency: int | None       # ns, all writes together
    capacity: int                   # B; what the guest sees, at least
    allocation: int                 # B; what is taken of the host's storage
    physical: int                   # B; size of the image


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """One direction of an interface, since the guest started."""

    bytes: int | None
    packets: int | None
    errors: int | None              # packets
    drops: int | None               # packets


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """A network interface, seen from the guest."""

    name: str                       # the host's end: 'tap5c2d1a3e-11'
    mac: str | None
    filter: str | None              # name of its network filter
    port: str | None                # Neutron's port id
    bridge: str | None
    incoming: Traffic               # what the guest received
    outgoing: Traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class Perf:
    """What the processor counts of a guest; None: not enabled on it."""

    l3_cache: int | None            # B that it occupies
    bandwidth_total: int | None     # B/s to memory, from all sockets
    bandwidth_local: int | None     # B/s to memory of its own socket
    cycles: int | None
    instructions: int | None
    cache_references: int | None
    cache_misses: int | None


class Guests(Protocol):
    """What discovery asks."""

    def guests(self) -> Sequence[Guest]:
        """Those that are there now; begins a turn.

        Raises HypervisorUnavailable.
        """


class CpuTime(Protocol):
    """What the poller of CPU time asks."""

    def cpu_time(self, name: str) -> int | None:
        """CPU time in ns since the guest started, its emulator's included.

        Raises InstanceGone, HypervisorUnavailable; as all questions do.
        """


class Vcpus(Protocol):
    """What the poller of virtual CPUs asks."""

    def vcpus(self, name: str) -> int | None:
        """Virtual CPUs that the guest has now."""


class MemoryUse(Protocol):
    """What the poller of memory asks."""

    def memory(self, name: str) -> Memory | None:
        """Memory of the guest; None where it is off."""


class Disks(Protocol):
    """What the poller of disks asks."""

    def disks(self, name: str) -> Sequence[Disk]:
        """Disks with a medium; none where the guest is off."""


class Interfaces(Protocol):
    """What the poller of interfaces asks."""

    def interfaces(self, name: str) -> Sequence[Interface]:
        """Interfaces that have figures; none where the guest is off."""


class Power(Protocol):
    """What the poller of power states asks."""

    def power_state(self, name: str) -> PowerState:
        """What the guest does, whether on or off."""


class PerfEvents(Protocol):
    """What the poller of the processor's counts asks."""

    def perf(self, name: str) -> Perf | None:
        """Events that are enabled on the guest; None where it is off."""


class ReadTime(Protocol):
    """What pollers of rates ask beside their counters."""

    def read_at(self, name: str) -> int:
        """When the counters of this turn were read, in ns.

        By the monotonic clock, whose beginning has no meaning.
        """


class Hypervisor(Guests, CpuTime, Vcpus, MemoryUse, Disks, Interfaces,
                 Power, PerfEvents, ReadTime, Protocol):
    """Everything that is asked of a hypervisor; by one thread at a time."""
