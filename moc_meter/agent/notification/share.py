# SPDX-License-Identifier: Apache-2.0
"""Samples from the notifications of the file share service (Manila).

Of the payload this module reads:

``share_id``             the share
``project_id``           the project that owns it
``user_id``              who made it
``size``                 in whole GiB; of a deleted share, what it had
``name``                 of the share
``host``                 backend that it is on; kept as ``share_host``
``status``               of the share
``availability_zone``    that it is in
``proto``                how it is reached: NFS
"""

from __future__ import annotations

from collections.abc import Iterator

from moc_meter.agent.notification import message
from moc_meter.agent.notification.base import Notification
from moc_meter.model.sample import Sample

_DESCRIPTION = ('name', 'status', 'availability_zone', 'proto')


class ShareMeter:
    """Size of a share, whenever something happens to it."""

    event_types = ('share.create.*', 'share.delete.*', 'share.extend.*',
                   'share.shrink.*')

    def samples(self, notification: Notification) -> Iterator[Sample]:
        share = notification.payload
        metadata = message.described(notification, share, _DESCRIPTION)
        if 'host' in share:
            metadata['share_host'] = share['host']
        subject = message.Subject.of(
            notification, share.get('share_id'),
            project_id=share.get('project_id'),
            user_id=share.get('user_id'), metadata=metadata)
        if subject is not None:
            yield from subject.sample('manila.share.size', 'GiB',
                                      share.get('size'))
