# SPDX-License-Identifier: Apache-2.0
"""Samples from the notifications of OSProfiler.

Of the payload this module reads:

``base_id``       the trace, which all of its points have
``name``          of the point: 'wsgi-start'; it is the meter's name too
``project_id``    the project whose request is traced
``user_id``       who asked
``service``       that the point is in
``trace_id``      of the point
``parent_id``     of the point that this one is within
"""

from __future__ import annotations

from collections.abc import Iterator

from moc_meter.agent.notification import message
from moc_meter.agent.notification.base import Notification
from moc_meter.model.sample import Sample


class TraceMeter:
    """One for each point of a trace that a request passes."""

    event_types = ('profiler.*',)
    #: The meters are named by whoever set the points.
    profile = 'existence'

    def samples(self, notification: Notification) -> Iterator[Sample]:
        point = notification.payload
        base_id = message.text(point.get('base_id'))
        name = message.text(point.get('name'))
        if not base_id or not name:
            return
        subject = message.Subject.of(
            notification, f'profiler-{base_id}',
            project_id=point.get('project_id'), user_id=point.get('user_id'),
            metadata=message.described(
                notification, point, ('service', 'trace_id', 'parent_id')))
        if subject is not None:
            yield from subject.sample(name, 'trace', 1)
