# SPDX-License-Identifier: Apache-2.0
"""What every hypervisor promises; see agent/polling/hypervisor/base.py."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest

from moc_meter import contracts, errors
from moc_meter.agent.polling.discovery import NovaInstances
from moc_meter.agent.polling.hypervisor import base

GIB = 1024 ** 3


class Known(Protocol):
    """What is known of a guest by whoever made it."""

    @property
    def name(self) -> str:
        """As the hypervisor has it."""

    @property
    def uuid(self) -> str:
        """In lower case."""

    @property
    def vcpus(self) -> int:
        """Virtual CPUs."""

    @property
    def display_name(self) -> str:
        """As its owner has it: Nova's <name>."""

    @property
    def project_id(self) -> str:
        """Nova's <owner>."""

    @property
    def user_id(self) -> str:
        """Nova's <owner>."""


class Subject(Protocol):
    """A hypervisor, and the hands that make and end its guests."""

    @property
    def hypervisor(self) -> base.Hypervisor:
        """The hypervisor."""

    def new(self) -> Known:
        """Make and start a guest: x86_64, hvm, with two disks, vda and vdb,
        and a drive without a medium.
        """

    def turn_off(self, guest: Any) -> None:
        """Cut its power; it stays defined."""

    def remove(self, guest: Any) -> None:
        """End and forget it."""


class HypervisorSuite:
    """Fill in the subject."""

    @pytest.fixture
    def subject(self) -> Subject:
        """The hypervisor, and what makes its guests."""
        raise NotImplementedError

    @pytest.fixture
    def running(self, subject: Subject) -> Known:
        """A guest that runs."""
        return subject.new()

    def test_it_has_what_pollers_ask(self, subject: Subject) -> None:
        assert contracts.complaints('moc_meter.hypervisor',
                                    subject.hypervisor) == []

    def test_a_guest_is_known_by_its_uuid(
            self, subject: Subject, running: Known) -> None:
        there = found(subject, running)
        assert (there.id, there.state, there.os_type,
                there.architecture) == (
            running.uuid, base.PowerState.RUNNING, 'hvm', 'x86_64')

    def test_nova_says_whose_a_guest_is(
            self, subject: Subject, running: Known) -> None:
        [instance] = [
            instance for instance
            in NovaInstances(subject.hypervisor, 'compute-1').instances()
            if instance.name == running.name]
        assert (instance.project_id, instance.user_id,
                instance.metadata['display_name']) == (
            running.project_id, running.user_id, running.display_name)

    def test_cpu_time_never_goes_back(
            self, subject: Subject, running: Known) -> None:
        times = []
        for _ in range(3):
            subject.hypervisor.guests()
            times.append(subject.hypervisor.cpu_time(running.name) or 0)
        assert 0 < times[0] <= times[1] <= times[2]

    def test_vcpus_are_those_of_the_guest(
            self, subject: Subject, running: Known) -> None:
        subject.hypervisor.guests()
        assert subject.hypervisor.vcpus(running.name) == running.vcpus

    def test_a_running_guest_has_memory_of_the_host(
            self, subject: Subject, running: Known) -> None:
        subject.hypervisor.guests()
        memory = subject.hypervisor.memory(running.name)
        assert memory is not None
        assert memory.resident is not None
        assert memory.resident > 0

    def test_only_disks_with_a_medium_are_told(
            self, subject: Subject, running: Known) -> None:
        subject.hypervisor.guests()
        disks = subject.hypervisor.disks(running.name)
        assert [disk.device for disk in disks] == ['vda', 'vdb']

    def test_no_figure_of_a_device_is_negative(
            self, subject: Subject, running: Known) -> None:
        subject.hypervisor.guests()
        devices: list[base.Disk | base.Traffic] = [
            *subject.hypervisor.disks(running.name)]
        for interface in subject.hypervisor.interfaces(running.name):
            devices += interface.incoming, interface.outgoing
        assert all(figure is None or isinstance(figure, str) or figure >= 0
                   for device in devices
                   for figure in dataclasses.asdict(device).values())

    def test_a_guest_that_is_off_is_there_without_figures(
            self, subject: Subject) -> None:
        own = subject.new()
        subject.turn_off(own)
        assert found(subject, own).state == base.PowerState.SHUT_OFF
        assert not any(ask(own.name)
                       for ask in every_question(subject.hypervisor))

    def test_the_power_state_is_that_of_the_guest(
            self, subject: Subject, running: Known) -> None:
        own = subject.new()
        subject.turn_off(own)
        subject.hypervisor.guests()
        assert [subject.hypervisor.power_state(guest.name)
                for guest in (running, own)] == [
            base.PowerState.RUNNING, base.PowerState.SHUT_OFF]

    def test_counters_are_read_once_in_every_turn(
            self, subject: Subject, running: Known) -> None:
        def read() -> tuple[int, int | None]:
            return (subject.hypervisor.read_at(running.name),
                    subject.hypervisor.cpu_time(running.name))

        subject.hypervisor.guests()
        assert read() == read()

    def test_a_guest_that_never_was_is_gone(self, subject: Subject) -> None:
        subject.hypervisor.guests()
        for ask in every_question(subject.hypervisor):
            with pytest.raises(errors.InstanceGone):
                ask('instance-ffffffff')

    def test_a_guest_that_is_removed_is_gone(self, subject: Subject) -> None:
        own = subject.new()
        subject.remove(own)
        names = {guest.name for guest in subject.hypervisor.guests()}
        assert own.name not in names
        for ask in every_question(subject.hypervisor):
            with pytest.raises(errors.InstanceGone):
                ask(own.name)

    def test_a_guest_that_goes_in_mid_turn_is_gone_or_answers(
            self, subject: Subject, running: Known) -> None:
        own = subject.new()
        subject.hypervisor.guests()
        subject.remove(own)
        with pytest.raises(errors.InstanceGone):
            subject.hypervisor.disks(own.name)
        assert subject.hypervisor.disks(running.name)


def found(subject: Subject, guest: Known) -> base.Guest:
    """The guest, as its hypervisor has it."""
    [one] = [there for there in subject.hypervisor.guests()
             if there.name == guest.name]
    return one


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a guest of the fake hypervisor has used."""

    cpu_time: int | None = 1_000_000_000
    vcpus: int | None = 2
    memory: base.Memory | None = None
    disks: list[base.Disk] = field(default_factory=list)
    interfaces: list[base.Interface] = field(default_factory=list)
    perf: base.Perf | None = None


_OFF = Figures(cpu_time=None, vcpus=None)


class FakeHypervisor:
    """Guests in memory; away while ``away`` is true. It passes the suite.

    there: by name; what is put there is there from the next turn on.
    time: of every reading, in ns; it does not pass by itself.
    """

    def __init__(self) -> None:
        self.away = False
        self.time = 10 ** 9
        self.there: dict[str, tuple[base.Guest, Figures]] = {}
        self._turn: dict[str, tuple[base.Guest, Figures]] = {}

    def guests(self) -> list[base.Guest]:
        self._check()
        self._turn = dict(self.there)
        return [guest for guest, _ in self._turn.values()]

    def cpu_time(self, name: str) -> int | None:
        return self._figures(name).cpu_time

    def vcpus(self, name: str) -> int | None:
        return self._figures(name).vcpus

    def memory(self, name: str) -> base.Memory | None:
        return self._figures(name).memory

    def disks(self, name: str) -> list[base.Disk]:
        return self._figures(name).disks

    def interfaces(self, name: str) -> list[base.Interface]:
        return self._figures(name).interfaces

    def perf(self, name: str) -> base.Perf | None:
        return self._figures(name).perf

    def power_state(self, name: str) -> base.PowerState:
        return self._known(name)[0].state

    def read_at(self, name: str) -> int:
        self._known(name)
        return self.time

    def _figures(self, name: str) -> Figures:
        guest, figures = self._known(name)
        return _OFF if guest.state in base.OFF else figures

    def _known(self, name: str) -> tuple[base.Guest, Figures]:
        self._check()
        if name not in self._turn or name not in self.there:
            raise errors.InstanceGone('no such guest', name=name)
        return self._turn[name]

    def _check(self) -> None:
        if self.away:
            raise errors.HypervisorUnavailable('the fake is away')


def disk(device: str) -> base.Disk:
    return base.Disk(
        device=device, read_requests=4, read_bytes=2048, read_latency=None,
        write_requests=5, write_bytes=2560, write_latency=None,
        capacity=GIB, allocation=4096, physical=GIB)


def every_question(hypervisor: base.Hypervisor
                   ) -> list[Callable[[str], object]]:
    """Those that only a guest that is on has an answer to."""
    return [hypervisor.cpu_time, hypervisor.vcpus, hypervisor.memory,
            hypervisor.disks, hypervisor.interfaces, hypervisor.perf]
