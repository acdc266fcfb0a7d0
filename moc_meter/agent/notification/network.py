# SPDX-License-Identifier: Apache-2.0
"""Samples from the notifications of the network service (Neutron).

A deletion tells the id only, and a creation has none before its end. Of the
payload this module reads the resource, under ``network``, ``subnet``,
``port``, ``router`` or ``floatingip`` (a list under the plural of it), keeps
all that it has, and of it reads:

``id``              the resource; beside it where an update begins
``tenant_id``       the project that owns it
``project_id``      the same, as it is called today

of the context ``user_id``, who asked, and ``project_id``, the owner of what
names none; and of the payload about a metering label:

``label_id``        the label
``bytes``           that matched it since the last report
``tenant_id``       the project that owns it
``project_id``      the same, as it is called today
``pkts``            packets that matched it since the last report
``time``            seconds that the report is of
``first_update``    when the label was seen first, in seconds since 1970
``last_update``     when the report was made, in seconds since 1970
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from moc_meter import errors
from moc_meter.agent.notification import message
from moc_meter.agent.notification.base import Notification
from moc_meter.model.sample import MeterKind, Sample

# Each kind of resource: its meter and unit.
_KINDS = {'network': ('network', 'network'), 'subnet': ('subnet', 'subnet'),
          'port': ('port', 'port'), 'router': ('router', 'router'),
          'floatingip': ('ip.floating', 'ip')}
_DEEDS = {'create.end': 'create', 'update.start': 'update',
          'update.end': 'update'}


class ResourceMeters:
    """That a resource of the network is there, and what was done to it."""

    event_types = tuple(f'{kind}.{event}' for kind in _KINDS
                        for event in ('create.end', 'update.*', 'exists'))

    def samples(self, notification: Notification) -> Iterator[Sample]:
        kind, _, event = notification.event_type.partition('.')
        meter, unit = _KINDS[kind]
        for resource in _resources(kind, notification.payload):
            subject = _subject(notification, resource)
            if subject is None:
                continue
            yield from subject.sample(meter, unit, 1)
            if event in _DEEDS:
                yield from subject.sample(f'{meter}.{_DEEDS[event]}', unit, 1,
                                          MeterKind.DELTA)


def _resources(kind: str, payload: Mapping[str, Any]
               ) -> Iterator[Mapping[str, Any]]:
    """Those that the payload tells of: several after a bulk creation.

    Of those what is no object with an id costs no other its meters. The
    beginning of an update tells what is to change, and the id beside it.
    """
    listed = payload.get(f'{kind}s') or []
    if not isinstance(listed, list):
        raise errors.InvalidSample('must be a list', field=f'{kind}s')
    for one in listed:
        match one:
            case {'id': str()}:
                yield one
    if kind in payload:
        yield {'id': payload.get('id'), **payload[kind]}


def _subject(notification: Notification, resource: Mapping[str, Any]
             ) -> message.Subject | None:
    """The resource and its owner, who need not be the one who asked.

    What names no owner, such as the beginning of an update, is the asker's;
    what names one that cannot be read is not.
    """
    named = [resource[name] for name in ('tenant_id', 'project_id')
             if resource.get(name) not in (None, '')]
    return message.Subject.of(
        notification, resource.get('id'),
        project_id=(named[0] if named
                    else notification.context.get('project_id')),
        user_id=notification.context.get('user_id'),
        metadata=message.described(notification, resource, resource))


class BandwidthMeter:
    """Bytes that matched a metering label since the agent's last report.

    Sent with a label's id in other forms too (l3.meter.router and more),
    which say the same bytes again. ``first_update`` is when the agent first
    saw the label, and ``time`` leaves out what came before its first look,
    so neither bounds the bytes exactly: they are told as they are, and no
    interval is claimed.
    """

    event_types = ('l3.meter', 'l3.meter.label')

    def samples(self, notification: Notification) -> Iterator[Sample]:
        label = notification.payload
        subject = message.Subject.of(
            notification, label.get('label_id'),
            project_id=label.get('tenant_id') or label.get('project_id'),
            metadata=message.described(
                notification, label,
                ('pkts', 'time', 'first_update', 'last_update')))
        if subject is not None:
            yield from subject.sample('bandwidth', 'B', label.get('bytes'),
                                      MeterKind.DELTA)
