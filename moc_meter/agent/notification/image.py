# SPDX-License-Identifier: Apache-2.0
"""Samples from the notifications of the image service (Glance).

Of the payload about an image this module reads:

``id``                    the image
``owner``                 the project that owns it; can be null
``size``                  in bytes; null until there is content
``name``                  its name
``status``                what it has come to
``disk_format``           how its content is to be read
``container_format``      what its content is wrapped in
``min_disk``              disk that it needs, in GiB
``min_ram``               memory that it needs, in MiB
``checksum``              of its content
``properties``            what its owner said
``deleted_at``            when it was deleted

and of that about content that was sent:

``image_id``              the image
``bytes_sent``            how much was sent, in bytes
``owner_id``              the project that owns the image
``receiver_tenant_id``    the project that it was sent to
``receiver_user_id``      the user that it was sent to
``destination_ip``        where it was sent to
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
