# SPDX-License-Identifier: Apache-2.0
"""What every hypervisor promises to the pollers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import closing

import pytest

from moc_meter import errors
from moc_meter.agent.polling.discovery import NovaInstances
from moc_meter.agent.polling.hypervisor import base
from moc_meter.tests.contract.hypervisors import (
    BuiltInSubject,
    FakeSubject,
    QemuSubject,
    Subject,
    every_question,
    new_guest,
)
from moc_meter.tests.servers.guest import Guest


@pytest.fixture(scope='module', params=['fake', 'test driver', 'qemu'])
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    if request.param == 'fake':
        yield FakeSubject()
    elif request.param == 'qemu':
        yield QemuSubject(request.getfixturevalue('libvirtd_server'))
    else:
        with closing(BuiltInSubject()) as built_in:
            yield built_in


@pytest.fixture(scope='module')
def running(subject: Subject) -> Iterator[Guest]:
    guest = new_guest()
    subject.add(guest)
    yield guest
    subject.remove(guest)


@pytest.fixture
def own(subject: Subject) -> Guest:
    """A guest for one test, which ends it."""
    guest = new_guest()
    subject.add(guest)
    return guest


def found(subject: Subject, guest: Guest) -> base.Guest:
    [one] = [there for there in subject.hypervisor.guests()
             if there.name == guest.name]
    return one


def test_a_guest_is_known_by_its_uuid(subject: Subject,
                                      running: Guest) -> None:
    there = found(subject, running)
    assert (there.id, there.state, there.os_type, there.architecture) == (
        running.uuid, base.PowerState.RUNNING, 'hvm', 'x86_64')


def test_nova_says_whose_a_guest_is(subject: Subject,
                                    running: Guest) -> None:
    [instance] = [
        instance for instance
        in NovaInstances(subject.hypervisor, 'compute-1').instances()
        if instance.name == running.name]
    assert (instance.project_id, instance.user_id,
            instance.metadata['display_name']) == (
        running.project_id, running.user_id, running.display_name)


def test_cpu_time_never_goes_back(subject: Subject, running: Guest) -> None:
    times = []
    for _ in range(3):
        subject.hypervisor.guests()
        times.append(subject.hypervisor.cpu_time(running.name) or 0)
    assert 0 < times[0] <= times[1] <= times[2]


def test_vcpus_are_those_of_the_guest(subject: Subject,
                                      running: Guest) -> None:
    subject.hypervisor.guests()
    assert subject.hypervisor.vcpus(running.name) == running.vcpus


def test_a_running_guest_has_memory_of_the_host(subject: Subject,
                                                running: Guest) -> None:
    subject.hypervisor.guests()
    memory = subject.hypervisor.memory(running.name)
    assert memory is not None
    assert memory.resident is not None
    assert memory.resident > 0


def test_only_disks_with_a_medium_are_told(subject: Subject,
                                           running: Guest) -> None:
    subject.hypervisor.guests()
    disks = subject.hypervisor.disks(running.name)
    assert [disk.device for disk in disks] == ['vda', 'vdb']


def test_no_figure_of_a_device_is_negative(subject: Subject,
                                           running: Guest) -> None:
    subject.hypervisor.guests()
    devices: list[base.Disk | base.Traffic] = [
        *subject.hypervisor.disks(running.name)]
    for interface in subject.hypervisor.interfaces(running.name):
        devices += interface.incoming, interface.outgoing
    assert all(figure is None or isinstance(figure, str) or figure >= 0
               for device in devices
               for figure in dataclasses.asdict(device).values())


def test_a_guest_that_is_off_is_there_without_figures(
        subject: Subject, own: Guest) -> None:
    subject.turn_off(own)
    assert found(subject, own).state == base.PowerState.SHUT_OFF
    assert not any(ask(own.name)
                   for ask in every_question(subject.hypervisor))


def test_a_guest_that_never_was_is_gone(subject: Subject) -> None:
    subject.hypervisor.guests()
    for ask in every_question(subject.hypervisor):
        with pytest.raises(errors.InstanceGone):
            ask('instance-ffffffff')


def test_a_guest_that_is_removed_is_gone(subject: Subject,
                                         own: Guest) -> None:
    subject.remove(own)
    names = {guest.name for guest in subject.hypervisor.guests()}
    assert own.name not in names
    for ask in every_question(subject.hypervisor):
        with pytest.raises(errors.InstanceGone):
            ask(own.name)


def test_a_guest_that_goes_in_mid_turn_is_gone_or_answers(
        subject: Subject, own: Guest, running: Guest) -> None:
    subject.hypervisor.guests()
    subject.remove(own)
    with pytest.raises(errors.InstanceGone):
        subject.hypervisor.disks(own.name)
    assert subject.hypervisor.disks(running.name)
