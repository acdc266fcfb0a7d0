# SPDX-License-Identifier: Apache-2.0
"""Samples from the notifications of the data processing service (Sahara).

Of the payload this module reads:

``cluster_id``         the cluster
``project_id``         the project that owns it
``cluster_name``       its name
``cluster_status``     what it has come to

and of the context ``user_id``, who asked.
"""

from __future__ import annotations

from collections.abc import Iterator

from moc_meter.agent.notification import message
from moc_meter.agent.notification.base import Notification
from moc_meter.model.sample import MeterKind, Sample


class ClusterMeters:
    """One count for each thing done to a cluster."""

    event_types = ('sahara.cluster.create', 'sahara.cluster.update',
                   'sahara.cluster.delete')

    def samples(self, notification: Notification) -> Iterator[Sample]:
        cluster = notification.payload
        subject = message.Subject.of(
            notification, cluster.get('cluster_id'),
            project_id=cluster.get('project_id'),
            user_id=notification.context.get('user_id'),
            metadata=message.described(notification, cluster,
                                       ('cluster_name', 'cluster_status')))
        if subject is not None:
            yield from subject.sample(
                notification.event_type.removeprefix('sahara.'), 'cluster', 1,
                MeterKind.DELTA)
