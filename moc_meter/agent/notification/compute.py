# SPDX-License-Identifier: Apache-2.0
"""Samples from the notifications of the compute service (Nova).

These are the legacy ones. Of the payload about an instance this module reads:

``instance_id``           the instance
``tenant_id``             the project that owns it
``user_id``               who made it
``memory_mb``             memory of its flavor, in MiB
``vcpus``                 virtual CPUs of its flavor
``root_gb``               root disk of its flavor, in GiB
``ephemeral_gb``          ephemeral disk of its flavor, in GiB
``instance_flavor_id``    id of its flavor
``instance_type``         name of its flavor
``image_meta``            image that it was made of
``display_name``          its name
``state``                 what it has come to
``created_at``            when it was asked for
``launched_at``           when it ran first; '' where the build was aborted
``deleted_at``            when it was deleted; '' before
``metadata``              what its owner said
``samples``               others' last samples of a deleted instance: lists of
                          ``name``, ``type``, ``unit``, ``volume``

of the scheduler's payload ``instance_id`` and, as the owner,
``request_spec.instance_properties.project_id``; of that about a host:

``host``                  the host
``nodename``              the hypervisor's name of it
``metrics``               figures, each with its ``name``, ``value``,
                          ``timestamp`` and ``source``
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from moc_meter.agent.notification import message
from moc_meter.agent.notification.base import Notification
from moc_meter.model import quantity
from moc_meter.model.sample import MeterKind, Sample

# The flavor of a resized machine, and what becomes of one that is still to
# be built, are said by other events.
_UNSETTLED = ('compute.instance.create.start', 'compute.instance.update')
_FLAVOR = {'memory': ('MiB', 'memory_mb'), 'vcpus': ('vcpu', 'vcpus'),
           'disk.root.size': ('GiB', 'root_gb'),
           'disk.ephemeral.size': ('GiB', 'ephemeral_gb')}
_DESCRIPTION = ('instance_flavor_id', 'instance_type', 'display_name',
                'image_meta', 'state', 'launched_at', 'created_at',
                'deleted_at')
_MICROSECOND = datetime.timedelta(microseconds=1)

_TIME = (MeterKind.CUMULATIVE, 'ns', Decimal(1))
_SHARE = (MeterKind.GAUGE, 'percent', Decimal(100))    # Nova sends 0..1
_CPU = {'cpu.frequency': (MeterKind.GAUGE, 'MHz', Decimal(1)),
        'cpu.user.time': _TIME, 'cpu.kernel.time': _TIME,
        'cpu.idle.time': _TIME, 'cpu.iowait.time': _TIME,
        'cpu.user.percent': _SHARE, 'cpu.kernel.percent': _SHARE,
        'cpu.idle.percent': _SHARE, 'cpu.iowait.percent': _SHARE,
        'cpu.percent': _SHARE}


class InstanceMeters:
    """What an instance holds, whenever something happens to it.

    Sent of deleted instances too, so the last sample is not an instance's
    end: that is ``deleted_at``.
    """

    event_types = ('compute.instance.*',)

    def samples(self, notification: Notification) -> Iterator[Sample]:
        if notification.event_type in _UNSETTLED:
            return
        instance = notification.payload
        subject = _instance(notification)
        if subject is None:
            return
        for meter, (unit, field) in _FLAVOR.items():
            yield from subject.sample(meter, unit, instance.get(field))
        if notification.event_type == 'compute.instance.create.end':
            yield from _booting_time(subject, instance)
        yield from subject.sample('instance', 'instance', 1)
        flavor = instance.get('instance_type')
        if isinstance(flavor, str) and flavor:
            yield from subject.sample(f'instance:{flavor}', 'instance', 1)


def _instance(notification: Notification) -> message.Subject | None:
    instance = notification.payload
    return message.Subject.of(
        notification, instance.get('instance_id'),
        project_id=instance.get('tenant_id'),
        user_id=instance.get('user_id'),
        metadata=message.described(notification, instance, _DESCRIPTION))


def _booting_time(subject: message.Subject, instance: Mapping[str, object]
                  ) -> Iterator[Sample]:
    """Seconds to the launch; an aborted build was never launched."""
    created = message.instant(instance.get('created_at'))
    launched = message.instant(instance.get('launched_at'))
    if created and launched:
        microseconds = abs(launched - created) // _MICROSECOND
        yield from subject.sample('compute.instance.booting.time', 'sec',
                                  Decimal(microseconds).scaleb(-6))


class CarriedMeters:
    """What others had still to say of an instance that is deleted."""

    event_types = ('compute.instance.delete.samples',)
    #: Whatever the meters are that are carried.
    profile = 'existence'

    def samples(self, notification: Notification) -> Iterator[Sample]:
        subject = _instance(notification)
        carried = notification.payload.get('samples')
        if subject is None or not isinstance(carried, list):
            return
        for place, one in enumerate(carried):
            match one:
                case {'name': str(meter), 'unit': str(unit),
                      'type': 'gauge' | 'delta' | 'cumulative' as kind,
                      'volume': figure} if meter:
                    yield from subject.sample(meter, unit, figure,
                                              MeterKind(kind), 'carried',
                                              str(place))


class ScheduledMeter:
    """One count for each instance that the scheduler of old found room for."""

    event_types = ('scheduler.run_instance.scheduled',)

    def samples(self, notification: Notification) -> Iterator[Sample]:
        payload = notification.payload
        subject = message.Subject.of(
            notification, payload.get('instance_id'),
            project_id=message.said(payload, 'request_spec',
                                    'instance_properties', 'project_id'),
            metadata=message.described(notification, payload, ()))
        if subject is not None:
            yield from subject.sample('instance.scheduled', 'instance', 1,
                                      MeterKind.DELTA)


class NodeMeters:
    """CPU figures of a compute host, where Nova's monitors are on.

    Each figure has an instant of its own, which is its sample's.
    """

    event_types = ('compute.metrics.update',)

    def samples(self, notification: Notification) -> Iterator[Sample]:
        node = notification.payload
        host = message.text(node.get('host'))
        name = message.text(node.get('nodename'))
        if not host or not name:
            return
        for place, metric in enumerate(node['metrics']):
            match metric:
                case {'name': str()}:
                    yield from _cpu(notification, f'{host}_{name}', metric,
                                    str(place))


def _cpu(notification: Notification, node: str, metric: Mapping[str, Any],
         place: str) -> Iterator[Sample]:
    name = metric['name']
    figure = message.number(metric.get('value'))
    timestamp = message.instant(metric.get('timestamp'))
    if name not in _CPU or figure is None or timestamp is None:
        return
    kind, unit, factor = _CPU[name]
    subject = message.Subject.of(
        dataclasses.replace(notification, timestamp=timestamp), node,
        metadata=message.described(notification, metric, ('source',)))
    if subject is not None:
        yield from subject.sample(f'compute.node.{name}', unit,
                                  quantity.multiply(figure, factor), kind,
                                  place)
