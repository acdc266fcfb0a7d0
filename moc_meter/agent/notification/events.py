# SPDX-License-Identifier: Apache-2.0
"""Events: what happened, by its notification, with typed traits.

Every event has the traits ``service`` and ``publisher``, and, as far as they
are said, ``request_id``, ``project_id``, ``user_id`` and ``resource_id``;
then those of its service's payloads below. What a payload does not say, or
not in the form of its type, the event does not have: nothing is guessed.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from moc_meter import errors
from moc_meter.agent.notification import message
from moc_meter.agent.notification.base import Notification
from moc_meter.model import metadata
from moc_meter.model.sample import MeterKind, Sample, derived_id
from moc_meter.model.traits import TraitType, spelled, traits

_STRING, _INTEGER, _DATETIME = (TraitType.STRING, TraitType.INTEGER,
                                TraitType.DATETIME)
_PROJECTS = ('tenant_id', 'project_id', 'owner', 'tenant')
_USERS = ('user_id', 'user')


@dataclass(frozen=True, slots=True, kw_only=True)
class _Payload:
    """What the payloads of events of some types say.

    ids: fields that may hold the id of the resource, the likeliest first.
    within: field that holds the resource, where it is not the payload.
    traits: names of fields, which are the names of the traits too.
    """

    ids: tuple[str, ...]
    within: str | None = None
    traits: Mapping[str, TraitType] = field(default_factory=dict)


def _network(noun: str, **more: TraitType) -> _Payload:
    return _Payload(ids=('id', f'{noun}_id'), within=noun,
                    traits={'name': _STRING, 'status': _STRING, **more})


_TIMES = {'created_at': _DATETIME, 'deleted_at': _DATETIME}
_STORED = {'size': _INTEGER, 'status': _STRING, 'created_at': _DATETIME}
#: By the beginning of the event's type; the first that fits.
_PAYLOADS: Mapping[str, _Payload] = {
    'compute.instance.': _Payload(
        ids=('instance_id',), traits={
            'state': _STRING, 'old_state': _STRING, 'host': _STRING,
            'instance_type': _STRING, 'memory_mb': _INTEGER,
            'disk_gb': _INTEGER, 'root_gb': _INTEGER,
            'ephemeral_gb': _INTEGER, 'vcpus': _INTEGER,
            'launched_at': _DATETIME, **_TIMES}),
    'volume.': _Payload(
        ids=('volume_id',), traits={'volume_type': _STRING, **_STORED,
                                    'display_name': _STRING,
                                    'availability_zone': _STRING}),
    'snapshot.': _Payload(
        ids=('snapshot_id',), traits={'volume_id': _STRING, **_STORED}),
    'backup.': _Payload(
        ids=('backup_id', 'id'), traits={'volume_id': _STRING, **_STORED}),
    'image.': _Payload(
        ids=('id', 'image_id'), traits={'name': _STRING, 'status': _STRING,
                                        'size': _INTEGER, **_TIMES}),
    'network.': _network('network'),
    'subnet.': _network('subnet', cidr=_STRING, network_id=_STRING),
    'port.': _network('port', network_id=_STRING, device_id=_STRING),
    'router.': _network('router'),
    'floatingip.': _network('floatingip', floating_ip_address=_STRING,
                            port_id=_STRING),
    'identity.': _Payload(
        ids=('resource_info',), traits={
            'action': _STRING, 'outcome': _STRING, 'eventType': _STRING}),
    'orchestration.': _Payload(
        ids=('stack_identity',), traits={
            'stack_name': _STRING, 'state': _STRING,
            'create_at': _DATETIME}),
    'baremetal.node.': _Payload(
        ids=('uuid', 'node_uuid'), traits={
            'power_state': _STRING, 'provision_state': _STRING}),
    'dns.': _Payload(ids=('id',), traits={
        'name': _STRING, 'status': _STRING, 'action': _STRING, **_TIMES}),
    'trove.': _Payload(ids=('instance_id',), traits={
        'state': _STRING, 'service_id': _STRING, 'instance_size': _INTEGER,
        **_TIMES}),
}
_OTHER = _Payload(ids=('resource_id', 'id', 'uuid'),
                  traits={'name': _STRING, 'state': _STRING,
                          'status': _STRING})


class EventMaker:
    """Makes the events of notifications whose types are wanted."""

    def __init__(self, event_types: Collection[str]) -> None:
        """event_types: fnmatch patterns; none makes no events."""
        self._event_types = event_types

    def wants(self, event_type: object) -> bool:
        return isinstance(event_type, str) and any(
            fnmatch.fnmatchcase(event_type, pattern)
            for pattern in self._event_types)

    def event(self, notification: Notification) -> Sample:
        """The event of a notification; the same for the same."""
        said = dict(_traits(notification))
        return Sample(
            source=notification.source, is_event=True,
            message_id=derived_id('event', notification.message_id),
            timestamp=notification.timestamp, meter=notification.event_type,
            kind=MeterKind.EVENT, unit='event', volume=Decimal(1),
            resource_id=str(said.get('resource_id')
                            or notification.publisher_id or 'unknown'),
            project_id=_optional(said.get('project_id')),
            user_id=_optional(said.get('user_id')), metadata=said)


def _traits(notification: Notification) -> Iterator[tuple[str, object]]:
    kind = next((payload for beginning, payload in _PAYLOADS.items()
                 if notification.event_type.startswith(beginning)), _OTHER)
    resource: Any = notification.payload
    if kind.within and isinstance(resource.get(kind.within), Mapping):
        resource = resource[kind.within]
    context = notification.context
    found: dict[str, object] = {
        name: _typed(resource.get(name), type_)
        for name, type_ in kind.traits.items()}
    found |= {
        'service': notification.publisher_id.partition('.')[0],
        'publisher': notification.publisher_id,
        'request_id': context.get('request_id'),
        'resource_id': _first(resource, kind.ids),
        'project_id': _first(resource, _PROJECTS) or context.get(
            'project_id'),
        'user_id': _first(resource, _USERS) or context.get('user_id')}
    for name, value in found.items():
        if value not in (None, '') and _is_trait(name, value):
            yield name, value


def _first(resource: Mapping[str, object],
           names: tuple[str, ...]) -> str | None:
    """The first of these fields that holds an id."""
    return next((value for value in map(resource.get, names)
                 if isinstance(value, str) and value), None)


def _typed(value: object, type_: TraitType) -> object:
    if type_ is _DATETIME:
        instant = message.instant(value)
        return instant and spelled(instant)
    if type_ is _INTEGER:
        number = message.number(value)
        return (int(number) if number is not None
                and number == number.to_integral_value() else None)
    return value if isinstance(value, str) else None


def _is_trait(name: str, value: object) -> bool:
    """Not what no database takes, too long a text, too early an instant."""
    try:
        metadata.check({name: value})
        traits({name: value})
    except errors.InvalidSample:
        return False
    return True


def _optional(value: object) -> str | None:
    return value if isinstance(value, str) else None
