# SPDX-License-Identifier: Apache-2.0
"""Samples from the notifications of the database service (Trove).

Of the payload this module reads:

``instance_id``               the database instance
``tenant_id``                 the project that owns it
``user_id``                   who made it
``audit_period_beginning``    first instant of the audited period
``audit_period_ending``       its last; seconds between them are the volume
``nova_instance_id``          the machine that it runs on
``state``                     of the instance
``service_id``                which kind of database it is
``instance_type``             flavor of the machine
"""

from __future__ import annotations

from collections.abc import Iterator

from moc_meter.agent.notification import message
from moc_meter.agent.notification.base import Notification
from moc_meter.model.sample import MeterKind, Sample

_DESCRIPTION = ('nova_instance_id', 'state', 'service_id', 'instance_type')


class DatabaseMeter:
    """Time that a database instance existed within an audited period."""

    event_types = ('trove.instance.exists',)

    def samples(self, notification: Notification) -> Iterator[Sample]:
        database = notification.payload
        subject = message.Subject.of(
            notification, database.get('instance_id'),
            project_id=database.get('tenant_id'),
            user_id=database.get('user_id'),
            metadata=message.described(notification, database, _DESCRIPTION))
        if subject is not None:
            yield from subject.sample(
                'trove.instance.exists', 's',
                message.seconds(database.get('audit_period_beginning'),
                                database.get('audit_period_ending')),
                MeterKind.CUMULATIVE)
