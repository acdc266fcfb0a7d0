# SPDX-License-Identifier: Apache-2.0
"""What captured notifications do not show: bad figures, absent owners."""

from __future__ import annotations

import datetime
import fnmatch
from decimal import Decimal
from typing import Any

import pytest

from moc_meter import errors
from moc_meter.agent.notification import compute, image, network, volume
from moc_meter.agent.notification.base import NotificationPlugin
from moc_meter.model.sample import Sample
from moc_meter.tests.unit.agent.notification import captured
from moc_meter.tests.unit.agent.notification.captured import NOON

INSTANCE = {'instance_id': 'i-1', 'tenant_id': 'p-1', 'user_id': 'u-1',
            'memory_mb': 512, 'vcpus': 1, 'root_gb': 0, 'ephemeral_gb': 5,
            'instance_type': 'm1.tiny', 'created_at': '2026-03-01 11:59:58',
            'launched_at': '2026-03-01T11:59:59.5Z'}
BOOTED = 'compute.instance.create.end'
CPU = {'name': 'cpu.percent', 'value': 0.5, 'source': 'driver',
       'timestamp': '2026-03-01T11:59:00'}


def heard(plugin: NotificationPlugin, event_type: str,
          payload: dict[str, Any]) -> dict[str, Sample]:
    """What the plugin makes of a notification, by meter."""
    return {sample.meter: sample for sample in captured.heard(
        plugin, event_type, payload, user_id='asker', project_id='admin')}


@pytest.mark.parametrize('figure', [None, 'many', True, float('nan'),
                                    '1e400', {}])
def test_a_bad_figure_drops_its_own_meter_only(figure: object) -> None:
    found = heard(compute.InstanceMeters(), BOOTED,
                  INSTANCE | {'memory_mb': figure})
    assert 'memory' not in found
    assert found['disk.ephemeral.size'].volume == 5


def test_a_missing_figure_drops_its_own_meter_only() -> None:
    payload = INSTANCE.copy()
    payload.pop('vcpus')
    found = heard(compute.InstanceMeters(), BOOTED, payload)
    assert 'vcpus' not in found
    assert 'memory' in found


def test_zero_and_text_are_figures() -> None:
    found = heard(compute.InstanceMeters(), BOOTED,
                  INSTANCE | {'memory_mb': '2048'})
    assert found['disk.root.size'].volume == 0
    assert found['memory'].volume == 2048


@pytest.mark.parametrize('field', ['created_at', 'launched_at'])
def test_an_aborted_build_has_no_booting_time(field: str) -> None:
    found = heard(compute.InstanceMeters(), BOOTED, INSTANCE | {field: ''})
    assert 'compute.instance.booting.time' not in found
    assert 'vcpus' in found


def test_booting_time_is_exact_and_has_the_owner() -> None:
    found = heard(compute.InstanceMeters(), BOOTED, INSTANCE)
    booting = found['compute.instance.booting.time']
    assert (booting.volume, booting.user_id) == (Decimal('1.5'), 'u-1')


@pytest.mark.parametrize('instance_id', [None, ''])
def test_without_a_resource_there_is_no_sample(instance_id: object) -> None:
    assert heard(compute.InstanceMeters(), BOOTED,
                 INSTANCE | {'instance_id': instance_id}) == {}


def test_a_resource_whose_id_is_no_text_is_refused() -> None:
    with pytest.raises(errors.InvalidSample):
        heard(compute.InstanceMeters(), BOOTED, INSTANCE | {'instance_id': 7})


@pytest.mark.parametrize('owner', [5, [], {'a': 1}, True, float('nan')])
def test_an_owner_that_is_no_text_is_null_and_costs_no_meter(owner: object
                                                             ) -> None:
    """Not '5', nor whoever asked: nothing is guessed."""
    found = heard(compute.InstanceMeters(), BOOTED,
                  INSTANCE | {'user_id': owner, 'tenant_id': owner})
    assert len(found) == 7
    assert {(one.user_id, one.project_id) for one in found.values()} == {
        (None, None)}


def test_an_owner_that_is_null_stays_null() -> None:
    found = heard(compute.InstanceMeters(), BOOTED,
                  INSTANCE | {'user_id': None, 'tenant_id': None})
    assert (found['vcpus'].user_id, found['vcpus'].project_id) == (None, None)


def test_an_instance_without_a_flavor_name_is_in_no_family() -> None:
    found = heard(compute.InstanceMeters(), BOOTED,
                  INSTANCE | {'instance_type': ''})
    assert 'instance' in found
    assert not [meter for meter in found if meter.startswith('instance:')]


def test_a_figure_of_a_node_has_its_own_instant_and_is_a_percentage() -> None:
    found = heard(compute.NodeMeters(), 'compute.metrics.update',
                  {'host': 'h', 'nodename': 'n.example', 'metrics': [CPU]})
    share = found['compute.node.cpu.percent']
    assert share.volume == 50
    assert share.timestamp == NOON - datetime.timedelta(minutes=1)
    assert (share.resource_id, share.metadata['source']) == ('h_n.example',
                                                             'driver')


@pytest.mark.parametrize('change', [
    {'timestamp': None}, {'timestamp': 'now'}, {'value': None},
    {'name': 'memory.free'}])
def test_a_bad_figure_of_a_node_drops_its_own_meter_only(
        change: dict[str, Any]) -> None:
    idle = CPU | {'name': 'cpu.idle.percent'}
    found = heard(compute.NodeMeters(), 'compute.metrics.update',
                  {'host': 'h', 'nodename': 'n', 'metrics': [CPU | change,
                                                             idle]})
    assert list(found) == ['compute.node.cpu.idle.percent']


def test_a_node_without_a_name_is_no_resource() -> None:
    assert heard(compute.NodeMeters(), 'compute.metrics.update',
                 {'host': 'h', 'nodename': None, 'metrics': [CPU]}) == {}


def test_a_deleted_volume_is_told_with_its_size() -> None:
    found = heard(volume.VolumeMeters(), 'volume.delete.end',
                  {'volume_id': 'v-1', 'size': 10, 'metadata': []})
    assert found['volume.size'].volume == 10


def test_an_attached_volume_says_where() -> None:
    found = heard(volume.VolumeMeters(), 'volume.attach.end',
                  {'volume_id': 'v-1', 'size': 1,
                   'volume_attachment': [{'server_id': 'i-1'}]})
    assert found['volume'].metadata['instance_id'] == 'i-1'


def test_a_backend_may_have_promised_more_than_it_has() -> None:
    found = heard(volume.CapacityMeters(), 'capacity.backend.h',
                  {'name_to_id': 'h@b', 'total': '100', 'free': 'unknown',
                   'virtual_free': -20.5})
    assert {meter: sample.volume for meter, sample in found.items()} == {
        'volume.provider.capacity.total': 100,
        'volume.provider.capacity.virtual_free': Decimal('-20.5')}


def test_a_queued_image_has_no_size_yet() -> None:
    found = heard(image.ImageMeters(), 'image.update',
                  {'id': 'm-1', 'owner': None, 'size': None})
    assert sorted(found) == ['image', 'image.update']
    assert found['image'].project_id is None


def test_a_download_is_charged_to_its_receiver_and_to_the_owner() -> None:
    found = heard(image.DownloadMeters(), 'image.send',
                  {'image_id': 'm-1', 'bytes_sent': 42, 'owner_id': 'p-1',
                   'receiver_tenant_id': 'p-2', 'receiver_user_id': 'u-2'})
    assert [(found[meter].project_id, found[meter].user_id)
            for meter in ('image.download', 'image.serve')] == [
        ('p-2', 'u-2'), ('p-1', None)]


@pytest.mark.parametrize(('owner', 'project'), [
    ({'tenant_id': 'p-1', 'project_id': 'p-2'}, 'p-1'),
    ({'project_id': 'p-2'}, 'p-2'), ({}, 'admin'),
    ({'tenant_id': 5}, None), ({'tenant_id': {}}, None)])
def test_a_resource_belongs_to_its_owner_and_not_to_the_asker(
        owner: dict[str, object], project: str | None) -> None:
    found = heard(network.ResourceMeters(), 'router.create.end',
                  {'router': {'id': 'r-1', **owner}})
    assert found['router'].project_id == project
    assert found['router'].user_id == 'asker'


def test_the_beginning_of_an_update_has_its_id_beside_the_change() -> None:
    found = heard(network.ResourceMeters(), 'port.update.start',
                  {'id': 'o-1', 'port': {'name': 'new'}})
    assert {sample.resource_id for sample in found.values()} == {'o-1'}
    assert sorted(found) == ['port', 'port.update']


@pytest.mark.parametrize('bad', [
    5, None, 'x', [], {}, {'id': 5}, {'id': None}, {'id': ''}])
def test_a_bad_one_of_several_costs_the_others_nothing(bad: object) -> None:
    good = {'id': 'n-1', 'tenant_id': 'p-1'}
    other = {'id': 'n-2', 'tenant_id': 5}
    found = captured.heard(
        network.ResourceMeters(), 'network.create.end',
        {'networks': [good, bad, other]}, project_id='admin')
    assert [(one.meter, one.resource_id, one.project_id)
            for one in found] == [
        (meter, resource, project)
        for resource, project in (('n-1', 'p-1'), ('n-2', None))
        for meter in ('network', 'network.create')]


@pytest.mark.parametrize('listed', [5, 'x', {'a': 1}])
def test_several_that_are_no_list_are_refused(listed: object) -> None:
    with pytest.raises(errors.InvalidSample):
        heard(network.ResourceMeters(), 'network.create.end',
              {'networks': listed})


@pytest.mark.parametrize('payload', [
    {}, {'network': {}}, {'networks': []}, {'network_id': 'n-1'}])
def test_a_network_without_an_id_is_no_resource(payload: dict[str, Any]
                                                ) -> None:
    assert heard(network.ResourceMeters(), 'network.create.end',
                 payload) == {}


@pytest.mark.parametrize('event_type', [
    'l3.meter.router', 'l3.meter.label_router', 'l3.meter.label_project',
    'router.interface.create', 'network.delete.end', 'network.create.start',
    'volume.usage', 'snapshot.update.end', 'image.create', 'image.activate',
    'image.member.update', 'instance.create.end', 'security_group.create.end'
])
def test_what_says_the_same_again_or_nothing_settled_is_not_asked_for(
        event_type: str) -> None:
    patterns = [
        pattern for plugin in (
            compute.InstanceMeters, compute.NodeMeters, volume.VolumeMeters,
            volume.SnapshotMeters, volume.BackupMeters, image.ImageMeters,
            image.DownloadMeters, network.ResourceMeters,
            network.BandwidthMeter) for pattern in plugin.event_types]
    assert not [pattern for pattern in patterns
                if fnmatch.fnmatchcase(event_type, pattern)]


def test_bandwidth_finds_the_project_in_both_spellings() -> None:
    label = {'label_id': 'l-1', 'bytes': 0, 'first_update': 1, 'time': 30}
    for owner in ({'tenant_id': 'p-1'}, {'project_id': 'p-1'}):
        found = heard(network.BandwidthMeter(), 'l3.meter', label | owner)
        assert found['bandwidth'].project_id == 'p-1'
        assert found['bandwidth'].volume == 0
        assert found['bandwidth'].interval is None
