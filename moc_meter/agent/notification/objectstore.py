# SPDX-License-Identifier: Apache-2.0
"""Samples from the notifications of the object store's middleware (Swift).

Of the payload, a CADF event, this module reads:

``target.id``                     the account
``target.metadata``               container, object and path of the request
``initiator.id``                  the user who asked
``initiator.project_id``          the project that the user asked for
``measurements[].metric.name``    the meter
``measurements[].metric.unit``    the unit of the result: B
``measurements[].result``         bytes that came in, or that went out
``action``, ``outcome``           what was asked, and what came of it
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from moc_meter.agent.notification import message
from moc_meter.agent.notification.base import Notification
from moc_meter.model.sample import MeterKind, Sample

_METERS = ('storage.objects.incoming.bytes', 'storage.objects.outgoing.bytes')
_PLACE = ('container', 'object', 'path')


class RequestMeters:
    """Bytes of a request, and one count for the request itself."""

    event_types = ('objectstore.http.request',)

    def samples(self, notification: Notification) -> Iterator[Sample]:
        event = notification.payload
        target = message.part(event, 'target')
        metadata = message.described(notification, event,
                                     ('action', 'outcome'))
        match target.get('metadata'):
            case Mapping() as place:
                metadata |= {name: place[name] for name in _PLACE
                             if name in place}
        subject = message.Subject.of(
            notification, target.get('id'), metadata=metadata,
            user_id=message.said(event, 'initiator', 'id'),
            project_id=message.said(event, 'initiator', 'project_id'))
        if subject is None:
            return
        for number, (meter, unit, result) in enumerate(_measured(event)):
            yield from subject.sample(meter, unit, result, MeterKind.DELTA,
                                      str(number))
        yield from subject.sample('storage.api.request', 'request', 1,
                                  MeterKind.DELTA)


def _measured(event: Mapping[str, Any]) -> list[tuple[str, str, object]]:
    """Meter, unit and result of each measurement that is known.

    None at all where one lacks any of them: the list is not what it says.
    """
    found: list[tuple[str, str, object]] = []
    measurements = event.get('measurements')
    for one in measurements if isinstance(measurements, list) else ():
        match one:
            case {'metric': {'name': str(meter), 'unit': str(unit)},
                  'result': result} if result is not None:
                found.append((meter, unit, result))
            case _:
                return []
    return [one for one in found if one[0] in _METERS]
