# SPDX-License-Identifier: Apache-2.0
"""Each service's notifications: what one bad field costs, and what differs."""

from __future__ import annotations

import fnmatch
from decimal import Decimal
from typing import Any

import pytest

from moc_meter import plugins
from moc_meter.agent.notification import (
    baremetal,
    compute,
    compute_versioned,
    database,
    dataprocessing,
    dns,
    identity,
    middleware,
    objectstore,
    orchestration,
    profiler,
    share,
)
from moc_meter.agent.notification.base import NotificationPlugin
from moc_meter.messaging import codec
from moc_meter.publisher import messages
from moc_meter.tests.unit.agent.notification.captured import (
    DEFAULT,
    NOON,
    flat,
    heard,
    host,
)

BAD: list[object] = [None, 'many', True, float('nan'), {}, ['x'], '1e400']
NOVA = ('payload', 'nova_object.data', 'flavor', 'nova_object.data')
SENSOR = ('payload', 'payload', 'Voltage', 'Planar 12V (0x18)')
AUDITED = {'audit_period_beginning': '2026-03-01 00:00:00',
           'audit_period_ending': '2026-03-01T01:00:00.5Z'}
DOMAIN = AUDITED | {'id': 'd-1', 'tenant_id': 'p-1', 'status': 'ACTIVE'}
SHARE = {'share_id': 's-1', 'project_id': 'p-1', 'user_id': 'u-1',
         'size': '3', 'host': 'backend', 'proto': 'NFS', 'name': None}
TRACE = {'base_id': 't-1', 'name': 'wsgi-start', 'service': 'api',
         'project_id': 'p-1', 'user_id': None}
CARRIED = {'name': 'cpu', 'type': 'cumulative', 'unit': 'ns', 'volume': 7}
SENT = 'storage.objects.outgoing.bytes'


def measured(name: object, result: object, unit: object = 'B'
             ) -> dict[str, Any]:
    return {'metric': {'name': name, 'unit': unit}, 'result': result}


@pytest.mark.parametrize('bad', BAD, ids=repr)
@pytest.mark.parametrize(('name', 'path', 'lost'), [
    ('nova-instance-exists', ('payload', 'memory_mb'), 'memory'),
    ('nova-instance-create-end', ('payload', 'launched_at'),
     'compute.instance.booting.time'),
    ('nova-versioned-instance-exists', (*NOVA, 'vcpus'), 'vcpus'),
    ('nova-compute-metrics-update', ('payload', 'metrics', 0, 'value'),
     'compute.node.cpu.frequency'),
    ('nova-compute-metrics-update', ('payload', 'metrics', 0, 'timestamp'),
     'compute.node.cpu.frequency'),
    ('nova-compute-metrics-update', ('payload', 'metrics', 0, 'name'),
     'compute.node.cpu.frequency'),
    ('nova-compute-metrics-update', ('payload', 'metrics', 0),
     'compute.node.cpu.frequency'),
    ('cinder-volume-exists', ('payload', 'size'), 'volume.size'),
    ('cinder-snapshot-exists', ('payload', 'volume_size'), 'snapshot.size'),
    ('cinder-backup-exists', ('payload', 'size'), 'backup.size'),
    ('cinder-capacity-pool', ('payload', 'free'),
     'volume.provider.pool.capacity.free'),
    ('glance-image-update', ('payload', 'size'), 'image.size'),
    ('neutron-l3-meter', ('payload', 'bytes'), 'bandwidth'),
    ('neutron-network-create-end', ('payload', 'network', 'name'), None),
    ('ironic-ipmi-sensors', (*SENSOR, 'Sensor Reading'),
     'hardware.ipmi.voltage'),
    ('ironic-ipmi-sensors', SENSOR, 'hardware.ipmi.voltage'),
    ('ironic-ipmi-sensors', (*SENSOR, 'Status'), None),
    ('keystone-authenticate-success', ('payload', 'outcome'),
     'identity.authenticate.success'),
    ('keystone-doc-project-created', ('payload', 'target'), None),
    ('swift-objectstore-http-request', ('payload', 'target', 'metadata'),
     None),
    ('swift-objectstore-http-request', ('payload', 'initiator'), None),
    ('keystone-doc-project-created', ('payload', 'initiator'), None),
    ('nova-instance-exists', ('payload', 'user_id'), None),
    ('glance-image-delete', ('payload', 'owner'), None),
    ('heat-stack-create-end', ('payload', 'state_reason'), None),
    ('sahara-cluster-create', ('payload', 'cluster_name'), None),
    ('http-response', ('payload', 'response'), None)])
def test_a_bad_field_drops_its_own_meter_only(
        name: str, path: tuple[str | int, ...], lost: str | None, bad: object
        ) -> None:
    profiles = (*DEFAULT, 'versioned') if 'versioned' in name else DEFAULT
    message = flat(f'{name}.json')
    found: Any = message
    before = [one.meter for one in host(*profiles).take('r', message).samples]
    for step in path[:-1]:
        found = found[step]
    found[path[-1]] = bad
    outcome = host(*profiles).take('r', message)
    if lost is not None:
        before.remove(lost)
    assert sorted(one.meter for one in outcome.samples) == sorted(before)
    assert outcome.refused == ()


@pytest.mark.parametrize('bad', [
    float('nan'), float('inf'), {'metering.a': float('nan')},
    [{'server_id': -float('inf')}]], ids=repr)
@pytest.mark.parametrize(('name', 'path', 'lost'), [
    ('glance-image-delete', ('payload', 'min_ram'), None),
    ('glance-image-delete', ('payload', 'size'), 'image.size'),
    ('nova-instance-exists', ('payload', 'metadata'), None),
    ('nova-versioned-instance-exists', (*NOVA, 'name'), None),
    ('cinder-volume-attach-end', ('payload', 'volume_attachment'), None),
    ('swift-objectstore-http-request',
     ('payload', 'target', 'metadata', 'path'), None),
    ('ironic-ipmi-sensors', (*SENSOR, 'Status'), None)])
def test_what_is_no_json_in_a_description_costs_no_meter_on_its_way(
        name: str, path: tuple[str | int, ...], lost: str | None, bad: object
        ) -> None:
    profiles = (*DEFAULT, 'versioned') if 'versioned' in name else DEFAULT
    message = flat(f'{name}.json')
    found: Any = message
    before = [one.meter for one in host(*profiles).take('r', message).samples]
    for step in path[:-1]:
        found = found[step]
    found[path[-1]] = bad
    outcome = host(*profiles).take('r', message)
    [sent] = messages.encoded(outcome.samples, outcome.refused, None)
    arrived = codec.decode(sent)
    assert [one.meter for one in arrived.samples] == [
        meter for meter in before if meter != lost]
    assert arrived.refused == []


@pytest.mark.parametrize('bad', [None, '', True, 7, {}])
def test_a_flavor_without_a_name_drops_its_own_meter_only(bad: object
                                                          ) -> None:
    message = flat('nova-instance-exists.json')
    message['payload']['instance_type'] = bad
    outcome = host(*DEFAULT).take('r', message)
    assert len(outcome.samples) == 5
    assert outcome.refused == ()


@pytest.mark.parametrize('bad', BAD, ids=repr)
@pytest.mark.parametrize(('plugin', 'event_type', 'payload', 'field'), [
    (dns.DomainMeter(), 'dns.domain.exists', DOMAIN, 'audit_period_ending'),
    (database.DatabaseMeter(), 'trove.instance.exists',
     AUDITED | {'instance_id': 'i-1'}, 'audit_period_beginning'),
    (share.ShareMeter(), 'share.create.end', SHARE, 'size')])
def test_a_bad_figure_of_a_lone_meter_gives_no_sample(
        plugin: NotificationPlugin, event_type: str, payload: dict[str, Any],
        field: str, bad: object) -> None:
    assert len(heard(plugin, event_type, payload)) == 1
    assert heard(plugin, event_type, payload | {field: bad}) == []


@pytest.mark.parametrize(('plugin', 'event_type', 'payload'), [
    (identity.AuthenticationMeter(), 'identity.authenticate',
     {'outcome': 'success', 'initiator': {'id': ''}}),
    (identity.AuthenticationMeter(), 'identity.authenticate',
     {'outcome': 'success'}),
    (identity.DirectoryMeters(), 'identity.user.created',
     {'initiator': {'id': 'u-1'}}),
    (identity.DirectoryMeters(), 'identity.role_assignment.created',
     {'resource_info': 'x'}),
    (orchestration.StackMeters(), 'orchestration.stack.create.end', {}),
    (dataprocessing.ClusterMeters(), 'sahara.cluster.delete', {}),
    (objectstore.RequestMeters(), 'objectstore.http.request',
     {'measurements': [measured(SENT, 1)]}),
    (middleware.HttpMeters(), 'http.request', {'request': {}}),
    (profiler.TraceMeter(), 'profiler.api', TRACE | {'base_id': None}),
    (profiler.TraceMeter(), 'profiler.api', TRACE | {'name': ''}),
    (baremetal.SensorMeters(), 'hardware.ipmi.metrics', {}),
    (compute_versioned.VersionedInstanceMeters(), 'instance.exists', {}),
    (compute.CarriedMeters(), 'compute.instance.delete.samples',
     {'samples': [CARRIED]})])
def test_without_a_resource_there_is_no_sample(
        plugin: NotificationPlugin, event_type: str, payload: dict[str, Any]
        ) -> None:
    assert heard(plugin, event_type, payload) == []


def test_an_existing_domain_is_its_asker_s_and_told_to_the_microsecond(
        ) -> None:
    [found] = heard(dns.DomainMeter(), 'dns.domain.exists', DOMAIN,
                    user='u-1', user_id='u-2')
    assert (found.volume, found.user_id) == (Decimal('3600.5'), 'u-1')
    assert found.metadata['status'] == 'ACTIVE'


def test_a_database_is_its_owner_s() -> None:
    [found] = heard(database.DatabaseMeter(), 'trove.instance.exists',
                    AUDITED | {'instance_id': 'i-1', 'user_id': 'u-1',
                               'tenant_id': 'p-1', 'service_id': 'mysql'},
                    user_id='asker', project_id='admin')
    assert (found.project_id, found.user_id) == ('p-1', 'u-1')
    assert found.metadata['service_id'] == 'mysql'


def test_a_share_has_a_size_and_a_backend() -> None:
    [found] = heard(share.ShareMeter(), 'share.shrink.end', SHARE)
    assert (found.meter, found.unit) == ('manila.share.size', 'GiB')
    assert found.volume == 3
    assert (found.metadata['share_host'], found.metadata['host']) == (
        'backend', 'service.h1')


def test_a_trace_counts_under_the_name_of_its_point() -> None:
    [found] = heard(profiler.TraceMeter(), 'profiler.api', TRACE)
    assert (found.meter, found.resource_id) == ('wsgi-start',
                                                'profiler-t-1')
    assert found.volume == 1


@pytest.mark.parametrize(('profiles', 'count'), [
    (('existence',), 1), (('metric',), 0)])
def test_a_trace_is_of_the_profile_existence(profiles: tuple[str, ...],
                                             count: int) -> None:
    message = flat('http-request.json')
    message |= {'event_type': 'profiler.api', 'payload': TRACE}
    assert len(host(*profiles).take('r', message).samples) == count


@pytest.mark.parametrize('entry', [
    CARRIED | {'type': 'event'}, CARRIED | {'type': None},
    CARRIED | {'volume': None}, CARRIED | {'volume': True},
    CARRIED | {'name': ''}, CARRIED | {'name': 7}, CARRIED | {'unit': None},
    'cpu', None, []])
def test_a_carried_sample_that_is_none_drops_alone(entry: object) -> None:
    found = heard(compute.CarriedMeters(), 'compute.instance.delete.samples',
                  {'instance_id': 'i-1', 'samples': [entry, CARRIED,
                                                     CARRIED]})
    assert [(one.meter, one.kind.value) for one in found] == [
        ('cpu', 'cumulative')] * 2
    assert [one.volume for one in found] == [7, 7]


def test_carried_samples_are_of_the_profile_existence() -> None:
    message = flat('nova-instance-delete-samples.json')
    message['payload']['samples'].append(CARRIED)
    meters = [one.meter for one in host('existence').take('r', message
                                                          ).samples]
    assert sorted(meters) == ['cpu', 'instance', 'instance:m1.tiny']
    assert 'cpu' not in [one.meter for one in host('metric').take(
        'r', message).samples]


@pytest.mark.parametrize('lacking', [
    measured(None, 1), measured(SENT, None), measured(SENT, 1, None),
    {'result': 1}, {'metric': None, 'result': 1}, None, 'x'])
def test_a_measurement_that_lacks_something_voids_the_list(lacking: object
                                                           ) -> None:
    found = heard(objectstore.RequestMeters(), 'objectstore.http.request',
                  {'target': {'id': 'a-1'},
                   'measurements': [measured(SENT, 1), lacking]})
    assert [one.meter for one in found] == ['storage.api.request']


@pytest.mark.parametrize('measurement', [
    measured(SENT, 'many'), measured(SENT, True), measured('other', 1)])
def test_a_measurement_of_no_figure_drops_alone(measurement: object) -> None:
    found = heard(objectstore.RequestMeters(), 'objectstore.http.request',
                  {'target': {'id': 'a-1'},
                   'measurements': [measurement, measured(SENT, '5')]})
    assert [one.meter for one in found] == [SENT, 'storage.api.request']
    assert [one.volume for one in found] == [5, 1]


def test_a_trusted_stack_is_the_trustor_s() -> None:
    payload = {'stack_identity': 's-1', 'tenant_id': 'p-1', 'user_id': 'name'}
    for trustor, user in (('u-2', 'u-2'), (None, 'u-1')):
        [found] = heard(orchestration.StackMeters(),
                        'orchestration.stack.resume.end', payload,
                        user_id='u-1', trustor_user_id=trustor)
        assert (found.meter, found.user_id) == ('stack.resume', user)


@pytest.mark.parametrize('outcome', ['unknown', '', None, 'success.x', []])
def test_an_authentication_counts_by_a_known_outcome_only(outcome: object
                                                          ) -> None:
    assert heard(identity.AuthenticationMeter(), 'identity.authenticate',
                 {'initiator': {'id': 'u-1'}, 'outcome': outcome}) == []


def test_no_secret_of_a_request_is_kept() -> None:
    request = {'HTTP_X_SERVICE_NAME': 'nova', 'HTTP_X_AUTH_TOKEN': 'secret',
               'HTTP_AUTHORIZATION': 'secret', 'HTTP_COOKIE': 'secret',
               'HTTP_X_Service_Token': 'secret', 'PATH_INFO': '/servers'}
    [found] = heard(middleware.HttpMeters(), 'http.request',
                    {'request': request})
    assert 'secret' not in found.metadata.values()
    assert found.metadata['PATH_INFO'] == '/servers'


@pytest.mark.parametrize(('reading', 'figure', 'unit'), [
    ('26 (+/- 0.500) degrees C', 26, 'C'), ('130 (+/- 0) Watts', 130, 'W'),
    ('-3.5 Volts', Decimal('-3.5'), 'V'), ('7020 RPM', 7020, 'RPM')])
def test_a_reading_begins_with_the_figure_and_ends_with_the_unit(
        reading: str, figure: int | Decimal, unit: str) -> None:
    [found] = heard(baremetal.SensorMeters(), 'hardware.ipmi.metrics', {
        'node_uuid': 'n', 'timestamp': '2026-03-01 11:00:00', 'payload': {
            'Fan': {'F': {'Sensor ID': 'FAN 1 A', 'Sensor Reading': reading,
                          'node': 'x'}}}})
    assert (found.volume, found.unit, found.resource_id) == (figure, unit,
                                                             'n-fan_1_a')
    assert found.timestamp < NOON
    assert found.metadata['node'] == 'n'


@pytest.mark.parametrize('reading', [
    'Disabled', 'No Reading', '', '26', '0x1f Watts', 'inf Watts', None, 26])
def test_a_sensor_that_reads_nothing_gives_no_sample(reading: object) -> None:
    assert heard(baremetal.SensorMeters(), 'hardware.ipmi.metrics', {
        'node_uuid': 'n', 'timestamp': '2026-03-01 11:00:00', 'payload': {
            'Fan': {'F': {'Sensor ID': 'F', 'Sensor Reading': reading}}}}
    ) == []


def test_power_among_the_currents_is_left_out() -> None:
    sensors = {name: {'Sensor ID': name, 'Sensor Reading': '9 Watts'}
               for name in ('Pwr Consumption 1', 'Avg Power')}
    found = heard(baremetal.SensorMeters(), 'hardware.ipmi.metrics', {
        'node_uuid': 'n', 'timestamp': '2026-03-01 11:00:00',
        'payload': {'Current': sensors, 'Power': sensors}})
    assert [one.resource_id for one in found] == ['n-avg_power']


@pytest.mark.parametrize('event_type', [
    'hardware.redfish.metrics', 'dns.zone.exists', 'dns.domain.create',
    'orchestration.stack.create.start', 'orchestration.stack.create.error',
    'sahara.cluster.scale', 'identity.trust.updated', 'http.other',
    'identity.role_assignment.updated', 'identity.domain.created',
    'share.update',
    'trove.instance.create', 'metrics.update', 'service.update',
    'instance_group.create.end'])
def test_what_the_catalogue_leaves_out_is_not_asked_for(event_type: str
                                                        ) -> None:
    for name, plugin in plugins.load('moc_meter.notification').items():
        assert not [pattern for pattern in plugin.event_types
                    if fnmatch.fnmatchcase(event_type, pattern)], name


def test_nova_s_figures_are_metered_in_one_form_and_the_rest_as_before(
        ) -> None:
    for name, legacy, versioned in (('nova-instance-exists', 6, 0),
                                    ('nova-versioned-instance-exists', 0, 4),
                                    ('nova-compute-metrics-update', 10, 10),
                                    ('cinder-volume-exists', 2, 2)):
        message = flat(f'{name}.json')
        assert len(host(*DEFAULT).take('r', message).samples) == legacy
        assert len(host(*DEFAULT, 'versioned').take('r', message).samples
                   ) == versioned


def test_a_versioned_instance_is_described_as_a_legacy_one() -> None:
    message = flat('nova-versioned-instance-exists.json')
    message['payload']['nova_object.data']['metadata'] = {'metering.a.b': 'c'}
    for sample in host('versioned').take('r', message).samples:
        assert sample.metadata['instance_type'] == 'test_flavor'
        assert sample.metadata['user_metadata'] == {'a_b': 'c'}
