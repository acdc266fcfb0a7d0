# SPDX-License-Identifier: Apache-2.0
"""Samples from the notifications of the DNS service (Designate).

Of the payload this module reads:

``id``                        the domain
``tenant_id``                 the project that owns it
``audit_period_beginning``    first instant of the audited period
``audit_period_ending``       its last; seconds between them are the volume
``status``                    of the domain
``pool_id``                   of the servers that answer for it

and of the context ``user``, who asked.
"""

from __future__ import annotations

from collections.abc import Iterator

from moc_meter.agent.notification import message
from moc_meter.agent.notification.base import Notification
from moc_meter.model.sample import MeterKind, Sample


class DomainMeter:
    """Time that a domain existed within an audited period."""

    event_types = ('dns.domain.exists',)

    def samples(self, notification: Notification) -> Iterator[Sample]:
        domain = notification.payload
        subject = message.Subject.of(
            notification, domain.get('id'),
            project_id=domain.get('tenant_id'),
            user_id=notification.context.get('user'),
            metadata=message.described(notification, domain,
                                       ('status', 'pool_id')))
        if subject is not None:
            yield from subject.sample(
                'dns.domain.exists', 's',
                message.seconds(domain.get('audit_period_beginning'),
                                domain.get('audit_period_ending')),
                MeterKind.CUMULATIVE)
