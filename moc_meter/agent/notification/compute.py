# SPDX-License-Identifier: Apache-2.0
"""Samples from the notifications of the compute service (Nova).

Source: the legacy form of ``compute.instance.*``, of which this module reads
``instance_id``, ``tenant_id``, ``user_id``, ``memory_mb`` (MiB), ``vcpus``,
``root_gb`` and ``ephemeral_gb`` (GiB), ``instance_type``, ``created_at`` and
``launched_at``; and ``compute.metrics.update``, of which it reads ``host``,
``nodename`` and ``metrics``.
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
        subject = message.Subject.of(
            notification, instance.get('instance_id'),
            project_id=instance.get('tenant_id'),
            user_id=instance.get('user_id'),
            metadata=message.described(notification, instance, _DESCRIPTION))
        if subject is None:
            return
        for meter, (unit, field) in _FLAVOR.items():
            yield from subject.sample(meter, unit, instance.get(field))
        if notification.event_type == 'compute.instance.create.end':
            yield from _booting_time(subject, instance)
        yield from subject.sample('instance', 'instance', 1)
        if flavor := message.text(instance.get('instance_type')):
            yield from subject.sample(f'instance:{flavor}', 'instance', 1)


def _booting_time(subject: message.Subject, instance: Mapping[str, object]
                  ) -> Iterator[Sample]:
    """Seconds to the launch; an aborted build was never launched."""
    created = message.instant(instance.get('created_at'))
    launched = message.instant(instance.get('launched_at'))
    if created and launched:
        microseconds = abs(launched - created) // _MICROSECOND
        yield from subject.sample('compute.instance.booting.time', 'sec',
                                  Decimal(microseconds).scaleb(-6))


class ScheduledMeter:
    """One count for each instance that the scheduler of old found room for."""

    event_types = ('scheduler.run_instance.scheduled',)

    def samples(self, notification: Notification) -> Iterator[Sample]:
        payload = notification.payload
        instance = payload['request_spec']['instance_properties']
        subject = message.Subject.of(
            notification, payload.get('instance_id'),
            project_id=instance.get('project_id'),
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
            yield from _cpu(notification, f'{host}_{name}', metric,
                            str(place))


def _cpu(notification: Notification, node: str, metric: Mapping[str, Any],
         place: str) -> Iterator[Sample]:
    name = metric.get('name')
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
