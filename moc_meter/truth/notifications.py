# SPDX-License-Identifier: Apache-2.0
"""Notifications as services send them, each with the samples it must give.

The rules by which these samples are expected are those of the meters'
documentation, of both profiles: metric and existence.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from moc_meter.truth import calendar
from moc_meter.truth.course import Course, Event
from moc_meter.truth.facts import Frame
from moc_meter.truth.forms import UNIT, Instant, Sample
from moc_meter.truth.seed import digest, mixed

#: What reads UTC without a zone, and with one.
_SPELLINGS = ('{:%Y-%m-%d %H:%M:%S.%f}', '{:%Y-%m-%d %H:%M:%S.%f}',
              '{:%Y-%m-%dT%H:%M:%S.%f}', '{:%Y-%m-%d %H:%M:%S.%f}Z',
              '{:%Y-%m-%dT%H:%M:%S.%f}+00:00')
#: One in so many is sent twice; what is sent in between.
_DOUBLED, _BETWEEN = 12, 3
#: Who asks where it is not the owner: what is metered is not theirs.
ADMIN = {'_context_user_id': 'admin-user', '_context_project_id': 'services',
         '_context_is_admin': True, '_context_auth_token': 'redacted'}


class Notification(NamedTuple):
    """A notification in its flat form, and the exchange it is sent to."""

    exchange: str
    message: Mapping[str, object]


class Subject(NamedTuple):
    """What samples of a notification are of."""

    resource_id: str
    project_id: str | None
    user_id: str | None
    metadata: Mapping[str, object]


class Figure(NamedTuple):
    """One sample of a notification."""

    meter: str
    unit: str
    volume: int                 # in units of 10**-9
    kind: str = 'gauge'
    place: str | None = None    # among several of one meter and resource


class Told(NamedTuple):
    """A notification with the samples that must come of it."""

    timestamp: Instant
    notification: Notification
    samples: tuple[Sample, ...]


class Teller:
    """Writes the notifications of one cloud."""

    def __init__(self, frame: Frame, source: str) -> None:
        self.frame = frame
        self._source = source

    def told(self, at: Instant, event_type: str,
             payload: Mapping[str, object], publisher: str, *,
             gives: Iterable[tuple[Subject, Iterable[Figure]]] = (),
             context: Mapping[str, object] = ADMIN,
             priority: str = 'INFO') -> Told:
        """A notification, and the samples of what it gives.

        To the metadata of these it adds where they are from.
        """
        exchange = _exchange(event_type)
        seen = digest(f'{self._source}\0{event_type}\0{at}\0{payload}')
        name = str(uuid.UUID(seen))
        spelling = _SPELLINGS[mixed(at) % len(_SPELLINGS)]
        message = {
            'message_id': name, 'publisher_id': publisher,
            'event_type': event_type, 'priority': priority,
            'timestamp': spelling.format(calendar.moment(at)),
            'payload': payload, '_unique_id': seen[::-1], **context}
        samples = tuple(
            Sample(self._source, message_id(name, figure, subject), at,
                   figure.meter, figure.kind, figure.unit, figure.volume,
                   subject.resource_id, subject.project_id, subject.user_id,
                   {**subject.metadata, 'event_type': event_type,
                    'host': publisher})
            for subject, figures in gives for figure in figures)
        return Told(at, Notification(exchange, message), samples)


def message_id(name: str, figure: Figure, subject: Subject) -> str:
    """Of a sample: a digest of what it was made of, as is documented."""
    parts = [name, figure.meter, subject.resource_id]
    if figure.place is not None:
        parts.append(figure.place)
    return hashlib.sha256('\0'.join(parts).encode()).hexdigest()[:32]


def one(meter: str, unit: str, kind: str = 'gauge') -> Figure:
    """A count of one."""
    return Figure(meter, unit, UNIT, kind)


def _exchange(event_type: str) -> str:
    match event_type.partition('.')[0]:
        case 'compute':
            return 'nova'
        case 'volume' | 'snapshot':
            return 'cinder'
        case 'image':
            return 'glance'
        case _:
            return 'neutron'


def audited(course: Course, end: Instant) -> Iterator[Event]:
    """What happened in a life, and every UTC midnight that it exists."""
    for event, following in zip(
            course.events, (*course.events[1:], None), strict=True):
        yield event
        if event.what in ('ask', 'delete'):
            continue
        until = min(following.at if following else end, end)
        midnight = event.at // calendar.DAY * calendar.DAY + calendar.DAY
        for at in range(midnight, until, calendar.DAY):
            yield replace(event, at=at, what='exists')


def doubled(frame: Frame, told: Iterable[Told]) -> Iterator[Notification]:
    """As they are sent: some of them again, after a few others."""
    again: list[tuple[int, Notification]] = []
    for number, one_ in enumerate(told):
        if again and again[0][0] <= number:
            yield again.pop(0)[1]
        yield one_.notification
        if mixed(frame.seed ^ number << 20) % _DOUBLED == 0:
            again.append((number + _BETWEEN, one_.notification))
    for _, notification in again:
        yield notification
