# SPDX-License-Identifier: Apache-2.0
"""Events that are made of notifications."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moc_meter import tests
from moc_meter.agent.notification import message
from moc_meter.agent.notification.base import Notification
from moc_meter.agent.notification.events import EventMaker
from moc_meter.agent.notification.host import PluginHost
from moc_meter.conf import notification as notification_options
from moc_meter.messaging import entry
from moc_meter.model import meter
from moc_meter.model.admission import Admission
from moc_meter.model.sample import MeterKind

NOTHING = meter.load(Path('/nonexistent'))


def flat(event_type: str = 'compute.instance.create.end',
         **payload: Any) -> dict[str, Any]:
    return {'message_id': 'n-1', 'event_type': event_type,
            'publisher_id': 'compute.host-1', 'priority': 'INFO',
            'timestamp': '2026-03-01 12:00:00.5', 'payload': payload,
            '_context_request_id': 'req-1', '_context_auth_token': 'secret',
            '_context_project_id': 'p-asker', '_context_user_id': 'u-asker'}


def notification(**said: Any) -> Notification:
    found = message.to_notification('region-1', flat(**said))
    assert found
    return found


def host(*event_types: str) -> PluginHost:
    return PluginHost({}, NOTHING, events=event_types)


def test_an_event_has_the_typed_traits_of_its_service() -> None:
    [event] = host('compute.*').take('region-1', flat(
        instance_id='i-1', tenant_id='p-1', user_id='u-1', state='active',
        memory_mb='512', vcpus=True, launched_at='2026-01-01T00:00:00Z',
        deleted_at='', disk_gb=1.5, unheard='of')).samples
    assert dict(event.metadata) == {
        'service': 'compute', 'publisher': 'compute.host-1',
        'request_id': 'req-1', 'resource_id': 'i-1', 'project_id': 'p-1',
        'user_id': 'u-1', 'state': 'active', 'memory_mb': 512,
        'launched_at': {'datetime': 1767225600000000}}
    assert (event.is_event, event.kind, event.volume, event.meter) == (
        True, MeterKind.EVENT, Decimal(1), 'compute.instance.create.end')
    assert (event.resource_id, event.project_id, event.user_id) == (
        'i-1', 'p-1', 'u-1')


def test_the_asker_owns_what_says_no_owner() -> None:
    event = EventMaker(['*']).event(notification(instance_id='i-1'))
    assert (event.project_id, event.user_id) == ('p-asker', 'u-asker')


def test_the_resource_may_lie_within_the_payload() -> None:
    event = EventMaker(['*']).event(notification(
        event_type='port.create.end',
        port={'id': 'port-1', 'tenant_id': 'p-2', 'status': 'DOWN'}))
    assert (event.resource_id, event.project_id) == ('port-1', 'p-2')
    assert event.metadata['status'] == 'DOWN'


@pytest.mark.parametrize('event_type', ['volume.create.start', 'x', None])
def test_only_wanted_types_make_events(event_type: Any) -> None:
    assert host('*.end').take('s', flat(event_type)).samples == ()
    assert host().take('s', flat()).samples == ()


def test_by_default_no_authentication_is_kept_but_who_is_there_is() -> None:
    [default] = [option.default for option in notification_options.OPTIONS
                 if option.name == 'events']
    captured = {json.loads(path.read_text())['event_type'] for path in (
        Path(tests.__file__).parent / 'data' / 'notifications' / 'messages'
        ).glob('keystone-*.json')}
    assert len(captured) > 5
    maker = EventMaker(default)
    assert {one for one in captured if not maker.wants(one)} == {
        'identity.authenticate'}
    assert maker.wants('compute.instance.create.end')


def test_the_same_notification_makes_the_same_event() -> None:
    first, second = (EventMaker(['*']).event(notification())
                     for _ in range(2))
    assert first == second


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda deeper: st.lists(deeper, max_size=2) | st.dictionaries(
        st.text(max_size=5), deeper, max_size=2), max_leaves=4)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(event_type=st.sampled_from([
           'compute.instance.create.end', 'port.create.end', 'image.update',
           'volume.create.end', 'identity.project.created', 'x']),
       payload=st.dictionaries(st.sampled_from([
           'instance_id', 'tenant_id', 'user_id', 'memory_mb', 'port', 'id',
           'launched_at', 'created_at', 'state', 'size', 'owner', 'name',
           'volume_id', 'project_id']), _JSON))
def test_an_event_of_any_payload_can_be_sent_and_read_again(
        event_type: str, payload: dict[str, Any]) -> None:
    said = notification(event_type=event_type, **payload)
    event = EventMaker(['*']).event(said)
    assert entry.read_sample(entry.write_sample(event)) == event
    Admission(definitions=NOTHING, strict=True).admit(event, said.timestamp)


def test_an_event_that_cannot_be_written_is_set_aside() -> None:
    host = PluginHost({}, NOTHING, events=['*'])
    outcome = host.take('region-1', {**flat(), 'message_id': '\ud800'})
    assert outcome.samples == ()
    assert [one.origin for one in outcome.refused] == ['agent notification']
