# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging

import pytest

from moc_meter.agent.polling.base import Instance
from moc_meter.agent.polling.discovery import NovaInstances
from moc_meter.agent.polling.hypervisor.base import Guest, PowerState

OWNER = ('<owner><user uuid="u-1">Zoë</user>'
         '<project uuid="p-1">Физика</project></owner>')
FLAVOR = ('<flavor name="m1.größe"><memory>512</memory><disk>10</disk>'
          '<swap>1</swap><ephemeral>20</ephemeral><vcpus>2</vcpus></flavor>')


class Lists:
    """A hypervisor with these guests."""

    def __init__(self, *guests: Guest) -> None:
        self._guests = guests

    def guests(self) -> tuple[Guest, ...]:
        return self._guests


def guest(nova: str | None, *, name: str = 'instance-0000000a',
          state: PowerState = PowerState.RUNNING) -> Guest:
    return Guest(id=f'id of {name}', name=name, state=state, os_type='hvm',
                 architecture='x86_64', nova=nova)


def found(content: str, state: PowerState = PowerState.RUNNING) -> Instance:
    nova = (f'<n:instance xmlns:n="http://openstack.org/xmlns/libvirt/nova/'
            f'1.1">{OWNER}{content}</n:instance>')
    nova = nova.replace('</', '</n:').replace('</n:n:', '</n:')
    for tag in ('owner', 'user', 'project', 'flavor', 'memory', 'disk',
                'swap', 'ephemeral', 'vcpus', 'root', 'name'):
        nova = nova.replace(f'<{tag}', f'<n:{tag}')
    [instance] = NovaInstances(Lists(guest(nova, state=state)),
                               'compute-1').instances()
    return instance


def test_the_owner_is_read_by_id_and_not_by_name() -> None:
    instance = found(FLAVOR)
    assert (instance.project_id, instance.user_id) == ('p-1', 'u-1')


def test_the_root_disk_is_what_nova_says_and_not_less() -> None:
    metadata = found(FLAVOR).metadata
    assert (metadata['root_gb'], metadata['ephemeral_gb'],
            metadata['disk_gb']) == (10, 20, 30)


def test_an_instance_from_a_volume_has_no_image() -> None:
    assert found(FLAVOR).metadata['image'] is None
    assert found(FLAVOR + '<root type="image" uuid="i-1"/>').metadata[
        'image'] == {'id': 'i-1'}


def test_what_is_not_said_is_not_known() -> None:
    metadata = found('<flavor name="x"><memory>many</memory></flavor>'
                     ).metadata
    assert (metadata['memory_mb'], metadata['disk_gb'],
            metadata['display_name']) == (None, None, None)


@pytest.mark.parametrize(('state', 'status'), [
    (PowerState.RUNNING, 'active'), (PowerState.PAUSED, 'paused'),
    (PowerState.SHUT_OFF, 'stopped'), (PowerState.CRASHED, 'error')])
def test_the_status_follows_the_power_state(state: PowerState,
                                            status: str) -> None:
    metadata = found(FLAVOR, state).metadata
    assert (metadata['status'], metadata['state']) == (status, status)


@pytest.mark.parametrize('nova', [
    None, '<instance/>',
    '<instance><owner><user uuid="u"/></owner></instance>',
    '<instance><owner><project uuid="p"/></owner></instance>'])
def test_a_guest_of_nobody_is_left_out_and_said_once(
        nova: str | None, caplog: pytest.LogCaptureFixture) -> None:
    discovery = NovaInstances(Lists(guest(nova)), 'compute-1')
    with caplog.at_level(logging.WARNING):
        assert [*discovery.instances(), *discovery.instances()] == []
    assert (discovery.skipped, len(caplog.records)) == (1, 1)
