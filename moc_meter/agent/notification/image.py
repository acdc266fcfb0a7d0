# SPDX-License-Identifier: Apache-2.0
"""Samples from the notifications of the image service (Glance).

Source: ``image.upload``, ``image.update`` and ``image.delete``, of which this
module reads ``id``, ``owner`` and ``size`` (bytes; null until there is
content); and ``image.send``, of which it reads ``image_id``, ``bytes_sent``
and who received and who owns the image.
"""

from __future__ import annotations

from collections.abc import Iterator

from moc_meter.agent.notification import message
from moc_meter.agent.notification.base import Notification
from moc_meter.model.sample import MeterKind, Sample

_DESCRIPTION = ('name', 'status', 'disk_format', 'container_format',
                'min_disk', 'min_ram', 'checksum', 'properties', 'size',
                'deleted_at')


class ImageMeters:
    """Size of an image, and one count for each thing done to it."""

    event_types = ('image.upload', 'image.update', 'image.delete')

    def samples(self, notification: Notification) -> Iterator[Sample]:
        image = notification.payload
        subject = message.Subject.of(
            notification, image.get('id'), project_id=image.get('owner'),
            metadata=message.described(notification, image, _DESCRIPTION))
        if subject is not None:
            yield from subject.sample('image.size', 'B', image.get('size'))
            yield from subject.sample('image', 'image', 1)
            yield from subject.sample(notification.event_type, 'image', 1,
                                      MeterKind.DELTA)


class DownloadMeters:
    """Bytes of an image that were sent, to its receiver and of its owner."""

    event_types = ('image.send',)

    def samples(self, notification: Notification) -> Iterator[Sample]:
        sent = notification.payload
        metadata = message.described(notification, sent, ('destination_ip',))
        received = message.Subject.of(
            notification, sent.get('image_id'),
            project_id=sent.get('receiver_tenant_id'),
            user_id=sent.get('receiver_user_id'), metadata=metadata)
        served = message.Subject.of(
            notification, sent.get('image_id'),
            project_id=sent.get('owner_id'), metadata=metadata)
        for meter, subject in (('image.download', received),
                               ('image.serve', served)):
            if subject is not None:
                yield from subject.sample(meter, 'B', sent.get('bytes_sent'),
                                          MeterKind.DELTA)
