# SPDX-License-Identifier: Apache-2.0
"""Reading notifications: the envelope, and the figures in the payload.

A notification travels flat, with the request's context as ``_context_KEY``
beside the payload (driver ``messaging``), or as JSON text within a second
envelope (driver ``messagingv2``).
"""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

from moc_meter import errors
from moc_meter.agent.notification.base import Notification
from moc_meter.model import quantity
from moc_meter.model.sample import MeterKind, Sample, derived_id

#: What services say in passing; of all else nothing is metered.
PRIORITIES = ('info', 'sample')
#: Of the context only these: it may hold a token too, which is not kept.
CONTEXT = ('user_id', 'project_id', 'trustor_user_id', 'user', 'request_id')

_MICROSECOND = datetime.timedelta(microseconds=1)
_LONGEST = 256      # characters of a user's own metadata
_OURS = 'metering.'
# Bounded, since '1e999999999' is a number that fills the memory once written.
_NUMBER = re.compile(r'[+-]?\d{1,40}(\.\d{1,40})?([eE][+-]?\d{1,2})?',
                     re.ASCII)
_HUGE = 10 ** 40
_INSTANT = re.compile(r'\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d', re.ASCII)


def flat(content: bytes) -> dict[str, Any]:
    """A notification as it travels, in either envelope, as its flat form.

    Raises InvalidMessage where the bytes are no notification.
    """
    message = _mapping(content)
    if 'oslo.message' in message:
        message = _mapping(message['oslo.message'])
    return message


def _mapping(content: bytes | str) -> dict[str, Any]:
    try:
        message = json.loads(content)
    except (TypeError, ValueError, RecursionError) as fault:
        raise errors.InvalidMessage('a notification must be JSON',
                                    reason=str(fault)) from fault
    if not isinstance(message, dict):
        raise errors.InvalidMessage('a notification must be an object',
                                    type=type(message).__name__)
    return message


def to_notification(source: str, message: Mapping[str, Any]
                    ) -> Notification | None:
    """The notification in a flat message; None where it is not metered.

    Raises InvalidMessage where the envelope lacks what every sample needs.
    """
    if unmetered(message) is not None:
        return None
    event_type, payload = message['event_type'], message['payload']
    message_id = message.get('message_id')
    timestamp = instant(message.get('timestamp'))
    if not isinstance(message_id, str) or not message_id:
        raise errors.InvalidMessage('a notification must have an id',
                                    event_type=event_type)
    if timestamp is None:
        raise errors.InvalidMessage(
            'the timestamp of a notification must be an instant',
            event_type=event_type, message_id=message_id)
    publisher_id = message.get('publisher_id')
    return Notification(
        source=source, message_id=message_id, event_type=event_type,
        publisher_id=publisher_id if isinstance(publisher_id, str) else '',
        timestamp=timestamp, payload=payload,
        context={key: message.get(f'_context_{key}') for key in CONTEXT})


def unmetered(message: Mapping[str, Any]) -> str | None:
    """Why nothing is metered of a flat message, as a sentence; or None."""
    priority = message.get('priority')
    if not isinstance(priority, str) or priority.lower() not in PRIORITIES:
        return ('of this priority nothing is metered, but of '
                + ', '.join(PRIORITIES))
    if not isinstance(message.get('event_type'), str):
        return 'the event type is no text'
    if not isinstance(message.get('payload'), Mapping):
        return 'the payload is no object'
    return None


def instant(value: object) -> datetime.datetime | None:
    """An instant in any spelling of the services; None where it is none.

    '2012-05-08 20:23:48.028195' is in UTC, as with 'T' between; an offset or
    a Z is converted.
    """
    if not isinstance(value, str) or not _INSTANT.match(value):
        return None
    try:
        found = datetime.datetime.fromisoformat(value)
        if found.tzinfo is None:
            return found.replace(tzinfo=datetime.UTC)
        return found.astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        return None


def seconds(since: object, until: object) -> Decimal | None:
    """Time between two instants of a payload, exactly; None without both."""
    start, end = instant(since), instant(until)
    if start is None or end is None:
        return None
    return Decimal((end - start) // _MICROSECOND).scaleb(-6)


def number(value: object) -> Decimal | None:
    """A figure of a payload, exactly; None where it is no finite number.

    '2048' is a number; true is none.
    """
    match value:
        case bool():
            return None
        case int() if abs(value) < _HUGE:
            return Decimal(value)
        case Decimal() if value.is_finite():
            return value
        case float() if math.isfinite(value):
            return Decimal(repr(value))
        case str() if _NUMBER.fullmatch(value):
            return Decimal(value)
        case _:
            return None


def text(value: object) -> str | None:
    """An id of a payload, or null; InvalidSample where it is neither."""
    if value is None or isinstance(value, str):
        return value
    raise errors.InvalidSample('an id must be text', value=value)


def _owner(value: object) -> str | None:
    """The id of a user or project; null where it is no text.

    What it may have meant is not guessed, nor is it worth the figures.
    """
    return value if isinstance(value, str) else None


def said(payload: Mapping[str, Any], *names: str) -> object:
    """What objects within each other say; None where one of them is none."""
    found: object = payload
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def part(payload: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object within a payload; empty where it is absent or null.

    Raises InvalidSample where it is something else.
    """
    found = payload.get(name)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise errors.InvalidSample('must be an object', field=name)
    return found


def described(notification: Notification, resource: Mapping[str, Any],
              fields: Iterable[str]) -> dict[str, object]:
    """Metadata of a resource: these fields of it, and where they are from."""
    found = {name: resource[name] for name in fields if name in resource}
    if said := dict(_user_metadata(resource.get('metadata'))):
        found['user_metadata'] = said
    return {**found, 'event_type': notification.event_type,
            'host': notification.publisher_id}


def _user_metadata(metadata: object) -> Iterator[tuple[str, object]]:
    """What the owner said for metering; services also send lists and ''."""
    if isinstance(metadata, Mapping):
        for key, value in metadata.items():
            if key.startswith(_OURS):
                yield (key.removeprefix(_OURS).replace('.', '_'),
                       value[:_LONGEST] if isinstance(value, str) else value)


def _finite(value: object) -> object:
    """The value; null in place of each number in it that is not finite."""
    match value:
        case float() if not math.isfinite(value):
            return None
        case Mapping():
            return {key: _finite(inner) for key, inner in value.items()}
        case list():
            return [_finite(inner) for inner in value]
        case _:
            return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The resource that a notification tells of, and whose it is."""

    notification: Notification
    resource_id: str
    project_id: str | None
    user_id: str | None
    metadata: Mapping[str, object]

    @classmethod
    def of(cls, notification: Notification, resource_id: object, *,
           project_id: object = None, user_id: object = None,
           metadata: Mapping[str, object]) -> Self | None:
        """The subject of these values of a payload; None without an id.

        An owner that is no text is null; so is, in metadata, NaN or an
        infinity, which JSON does not have and no store would take.
        Raises InvalidSample where the id of the resource is no text.
        """
        known = text(resource_id)
        if not known:
            return None
        return cls(notification=notification, resource_id=known,
                   project_id=_owner(project_id), user_id=_owner(user_id),
                   metadata={name: _finite(value)
                             for name, value in metadata.items()})

    def sample(self, meter: str, unit: str, figure: object,
               kind: MeterKind = MeterKind.GAUGE, *place: str
               ) -> Iterator[Sample]:
        """The sample of a figure; none where the figure is no number.

        place: of the figure, where a notification may hold several of one
            meter.
        """
        volume = number(figure)
        if volume is None:
            return
        kept = _kept(volume)
        yield Sample(
            source=self.notification.source,
            message_id=derived_id(self.notification.message_id, meter,
                                  self.resource_id, *place),
            timestamp=self.notification.timestamp, meter=meter, kind=kind,
            unit=unit, volume=kept, rounded=kept != volume,
            resource_id=self.resource_id, project_id=self.project_id,
            user_id=self.user_id, metadata=self.metadata)


def _kept(volume: Decimal) -> Decimal:
    """The volume with 9 digits; what is too large is for admission."""
    return quantity.rounded(volume) if quantity.is_bounded(volume) else volume
