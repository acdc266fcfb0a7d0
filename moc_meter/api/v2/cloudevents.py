# SPDX-License-Identifier: Apache-2.0
"""Samples that come as CloudEvents 1.0, in the structured JSON mode.

One event is one sample. Its ``data`` is what /v2/ingest takes, but for the
message id and the source: these are the event's, whose ``source`` and ``id``
together name it for ever. ``subject`` stands for a resource id, and ``time``
for a timestamp, that the data do not say. The type is the producer's own;
extensions are not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moc_meter import errors
from moc_meter.api.v2 import reading, refusals, types
from moc_meter.model.sample import derived_id

STRUCTURED = 'application/cloudevents+json'
BATCHED = 'application/cloudevents-batch+json'
_MANDATORY = ('specversion', 'id', 'source', 'type')
_TEXTS = (*_MANDATORY, 'subject', 'time', 'datacontenttype', 'dataschema')
_ALLOWED = {'specversion': ('1.0',),
            'datacontenttype': (None, 'application/json')}
_OURS = ('message_id', 'source')


@dataclass(frozen=True, slots=True)
class Malformed:
    """An event that holds no sample, and why."""

    message_id: str | None
    reason: str


Item = types.IngestedSample | Malformed


def structured(content: bytes) -> list[Item]:
    """The sample of one event."""
    event = reading.document(content)
    if not isinstance(event, dict):
        raise refusals.invalid('samples', event, 'An object is expected.')
    return [_item(event)]


def batched(content: bytes) -> list[Item]:
    """The samples of a list of events."""
    events = reading.document(content)
    if not isinstance(events, list):
        raise refusals.invalid('samples', events, 'A list is expected.')
    return [_item(event) for event in events]


def _item(event: Any) -> Item:
    message_id = None
    try:
        _check(event)
        message_id = derived_id('cloudevent', event['source'], event['id'])
        sample: types.IngestedSample = reading.typed(
            {**_said(event), 'message_id': message_id,
             'source': event['source']}, types.IngestedSample, 'data')
    except errors.InvalidQuery as refusal:
        return Malformed(message_id, str(refusal))
    return sample


def _check(event: Any) -> None:
    if not isinstance(event, dict):
        raise refusals.invalid('samples', event, 'An object is expected.')
    _check_attributes(event)
    if not isinstance(event.get('data'), dict):
        raise refusals.invalid('data', event.get('data'),
                               'An object is expected.')
    for name in _OURS:
        if name in event['data']:
            raise refusals.invalid(name, event['data'][name],
                                   'It is the one of the event.')


def _check_attributes(event: Mapping[str, Any]) -> None:
    for name in _MANDATORY:
        if not event.get(name):
            raise refusals.missing(name)
    for name in _TEXTS:
        if not isinstance(event.get(name), str | None):
            raise refusals.invalid(name, event[name], 'A text is expected.')
    for name, allowed in _ALLOWED.items():
        if event.get(name) not in allowed:
            raise refusals.invalid(name, event[name],
                                   f'should be {allowed[-1]}')


def _said(event: Mapping[str, Any]) -> dict[str, Any]:
    """The data, with what the event says in their place."""
    return {**dict(_instead(event)), **event['data']}


def _instead(event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, field in (('subject', 'resource_id'), ('time', 'timestamp')):
        if event.get(name) is not None:
            yield field, event[name]
