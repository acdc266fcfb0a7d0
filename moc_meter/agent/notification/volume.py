# SPDX-License-Identifier: Apache-2.0
"""Samples from the notifications of the block storage service (Cinder).

Source: ``volume.*``, ``snapshot.*`` and ``backup.*``, of which this module
reads the resource's own id, ``tenant_id``, ``user_id`` and ``size`` (whole
GiB; of a snapshot ``volume_size``); and ``capacity.*``, of which it reads
``name_to_id`` and five figures in GiB. What was deleted is told with the size
that it had.
"""

from __future__ import annotations

from collections.abc import Iterator

from moc_meter.agent.notification import message
from moc_meter.agent.notification.base import Notification
from moc_meter.model.sample import Sample

_CAPACITIES = ('total', 'free', 'allocated', 'provisioned', 'virtual_free')


class VolumeMeters:
    """Size of a volume, whenever something happens to it."""

    event_types = ('volume.exists', 'volume.retype', 'volume.create.*',
                   'volume.delete.*', 'volume.resize.*', 'volume.attach.*',
                   'volume.detach.*', 'volume.update.*', 'volume.manage.*')

    def samples(self, notification: Notification) -> Iterator[Sample]:
        volume = notification.payload
        metadata = message.described(
            notification, volume,
            ('display_name', 'volume_type', 'status', 'availability_zone'))
        match volume.get('volume_attachment'):
            case [{'server_id': server}, *_]:
                metadata['instance_id'] = server
        subject = message.Subject.of(
            notification, volume.get('volume_id'),
            project_id=volume.get('tenant_id'),
            user_id=volume.get('user_id'), metadata=metadata)
        if subject is not None:
            yield from subject.sample('volume.size', 'GiB',
                                      volume.get('size'))
            yield from subject.sample('volume', 'volume', 1)


class SnapshotMeters:
    """Size of a snapshot, which is that of its volume."""

    event_types = ('snapshot.exists', 'snapshot.create.*',
                   'snapshot.delete.*', 'snapshot.manage.*',
                   'snapshot.resize.*')

    def samples(self, notification: Notification) -> Iterator[Sample]:
        snapshot = notification.payload
        subject = message.Subject.of(
            notification, snapshot.get('snapshot_id'),
            project_id=snapshot.get('tenant_id'),
            user_id=snapshot.get('user_id'),
            metadata=message.described(
                notification, snapshot,
                ('display_name', 'volume_id', 'status')))
        if subject is not None:
            yield from subject.sample('snapshot.size', 'GiB',
                                      snapshot.get('volume_size'))
            yield from subject.sample('snapshot', 'snapshot', 1)


class BackupMeters:
    """Size of a backup, whenever something happens to it."""

    event_types = ('backup.exists', 'backup.create.*', 'backup.delete.*',
                   'backup.restore.*')

    def samples(self, notification: Notification) -> Iterator[Sample]:
        backup = notification.payload
        subject = message.Subject.of(
            notification, backup.get('backup_id'),
            project_id=backup.get('tenant_id'),
            user_id=backup.get('user_id'),
            metadata=message.described(notification, backup,
                                       ('display_name', 'volume_id')))
        if subject is not None:
            yield from subject.sample('backup.size', 'GiB',
                                      backup.get('size'))


class CapacityMeters:
    """Room on a backend and on each of its pools ('host@backend#pool')."""

    event_types = ('capacity.backend.*', 'capacity.pool.*')

    def samples(self, notification: Notification) -> Iterator[Sample]:
        place = notification.payload
        name = message.text(place.get('name_to_id'))
        metadata = message.described(notification, place, ())
        meter = 'volume.provider.capacity'
        if notification.event_type.startswith('capacity.pool.'):
            meter = 'volume.provider.pool.capacity'
            metadata['provider'] = name and name.partition('#')[0]
        subject = message.Subject.of(notification, name, metadata=metadata)
        if subject is not None:
            for figure in _CAPACITIES:
                yield from subject.sample(f'{meter}.{figure}', 'GiB',
                                          place.get(figure))
