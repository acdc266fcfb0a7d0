# SPDX-License-Identifier: Apache-2.0
"""Samples from the notifications of the block storage service (Cinder).

Of the payload about a volume, snapshot or backup this module reads:

``volume_id``            the volume; of a snapshot or backup, whose it is
``snapshot_id``          the snapshot
``backup_id``            the backup
``tenant_id``            the project that owns it
``user_id``              who made it
``size``                 of a volume or backup, in whole GiB
``volume_size``          of a snapshot: size of its volume, in whole GiB
``display_name``         its name
``volume_type``          id of the type of a volume
``status``               what it has come to
``availability_zone``    that a volume is in
``volume_attachment``    where a volume is attached: ``server_id`` of the first
``metadata``             what its owner said

What was deleted is told with the size that it had. Of the payload about a
backend or a pool of it:

``name_to_id``           its name: 'host@backend#pool'
``total``                room in all, in GiB
``free``                 room that is left, in GiB
``allocated``            room that volumes hold, in GiB
``provisioned``          room that is promised, in GiB
``virtual_free``         room that may still be promised, in GiB
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
