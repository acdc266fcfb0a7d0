# SPDX-License-Identifier: Apache-2.0
"""Samples from the notifications of the services' HTTP middleware.

Of the payload this module reads ``request``, the environment of a request,
and of that:

``HTTP_X_SERVICE_NAME``    the service that was asked: 'nova'
``HTTP_X_USER_ID``         the user who asked
``HTTP_X_PROJECT_ID``      the project that the user asked for
"""

from __future__ import annotations

from collections.abc import Iterator

from moc_meter.agent.notification import message
from moc_meter.agent.notification.base import Notification
from moc_meter.model.sample import MeterKind, Sample

# The environment has every header of the request, also what must stay secret.
_SECRET = ('TOKEN', 'AUTHORIZATION', 'COOKIE', 'PASSWORD', 'SECRET')


class HttpMeters:
    """One count for each request to a service, and for each response."""

    event_types = ('http.request', 'http.response')

    def samples(self, notification: Notification) -> Iterator[Sample]:
        request = message.part(notification.payload, 'request')
        shown = [name for name in request
                 if not any(word in name.upper() for word in _SECRET)]
        subject = message.Subject.of(
            notification, request.get('HTTP_X_SERVICE_NAME'),
            project_id=request.get('HTTP_X_PROJECT_ID'),
            user_id=request.get('HTTP_X_USER_ID'),
            metadata=message.described(notification, request, shown))
        if subject is not None:
            unit = notification.event_type.removeprefix('http.')
            yield from subject.sample(notification.event_type, unit, 1,
                                      MeterKind.DELTA)
