# SPDX-License-Identifier: Apache-2.0
"""Long lists, page by page, and the link to what follows.

A marker is what a list is sorted by, of the last item that was answered; so
what arrives meanwhile neither doubles nor hides an item. It tells a caller
nothing but what the item said.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import json
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, TypeVar

import webob

from moc_meter import errors
from moc_meter.api import negotiation
from moc_meter.api.v2.arguments import Parameter, single
from moc_meter.model import metadata, period, quantity
from moc_meter.model.query import (
    MeterSeen,
    ResourceSeen,
    ResourceState,
    StoredSample,
)
from moc_meter.model.sample import MeterKind, Sample

_T = TypeVar('_T')
_P = TypeVar('_P')
#: Items that are read at once; so many are in memory. Of those that are
#: sorted for each page more, or sorting is most of the work.
PAGE = 1000
SORTED_PAGE = 10_000
_NAME = 'marker'
MARKER = Parameter(_NAME, (_NAME,), lambda values: single(_NAME, values))


@dataclass
class Pages(Generic[_T, _P]):
    """A list that is read as it is written.

    read: so many items after a place, or from the first on.
    show: an item as it is answered.
    place: where an item stands; mark: the same as its marker holds it.
    sorts: whether all items are sorted for each page.
    last: the place of the last item where more follow; else None.
    """

    read: Callable[[_P | None, int], Sequence[_T]]
    show: Callable[[_T], Any]
    place: Callable[[_T], _P]
    mark: Callable[[_P], Sequence[Any]]
    limit: int
    after: _P | None
    sorts: bool = False
    last: _P | None = None

    def __iter__(self) -> Iterator[Any]:
        left, last = self.limit, self.after
        while left:
            wanted = min(left, SORTED_PAGE if self.sorts else PAGE)
            page = self.read(last, wanted + 1)
            yield from map(self.show, page[:wanted])
            if len(page) <= wanted:
                return
            left, last = left - wanted, self.place(page[wanted - 1])
        self.last = last

    def link(self, request: webob.Request) -> str | None:
        """Where the list goes on, once it has been read."""
        if self.last is None:
            return None
        path = '/'.join(urllib.parse.quote(part, safe='')
                        for part in negotiation.path_parts(request))
        asked = [(name, value) for name, value in request.GET.items()
                 if name != _NAME]
        query = urllib.parse.urlencode(
            [*asked, (_NAME, _text(self.mark(self.last)))])
        return f'<{request.application_url}/{path}?{query}>; rel="next"'


def _text(parts: Sequence[Any]) -> str:
    document = json.dumps(parts, separators=(',', ':')).encode()
    return base64.urlsafe_b64encode(document).decode().rstrip('=')


def position(marker: str | None, of: Callable[[Any], _P]) -> _P | None:
    """The place that a marker says; raises InvalidQuery."""
    if marker is None:
        return None
    try:
        document = base64.b64decode(
            (marker + '=' * (-len(marker) % 4)).encode(), b'-_',
            validate=True)
        parts = json.loads(document)
        if isinstance(parts, list):
            return of(parts)
    except (ValueError, TypeError, binascii.Error, RecursionError,
            InvalidOperation, OverflowError, errors.InvalidSample):
        pass
    raise errors.InvalidQuery('Invalid marker: it is none of ours')


def samples(read: Callable[[StoredSample | None, int],
                           Sequence[StoredSample]],
            show: Callable[[StoredSample], Any], limit: int,
            marker: str | None, sorts: bool = False
            ) -> Pages[StoredSample, StoredSample]:
    """A list of samples; the place of one is what its marker has of it."""
    return Pages(read=read, show=show, place=lambda stored: stored,
                 mark=_sample_mark, limit=limit, sorts=sorts,
                 after=position(marker, _sample_of))


def meters(read: Callable[[MeterSeen | None, int], Sequence[MeterSeen]],
           show: Callable[[MeterSeen], Any], limit: int,
           marker: str | None) -> Pages[MeterSeen, MeterSeen]:
    """A list of meters."""
    return Pages(read=read, show=show, place=lambda seen: seen,
                 mark=_meter_mark, limit=limit,
                 after=position(marker, _meter_of))


def resources(read: Callable[[str | None, int], Sequence[ResourceSeen]],
              show: Callable[[ResourceSeen], Any], limit: int,
              marker: str | None) -> Pages[ResourceSeen, str]:
    """A list of resources; the place of one is its id."""
    return Pages(read=read, show=show, place=lambda seen: seen.resource_id,
                 mark=lambda resource: [resource], limit=limit,
                 after=position(marker, _text_of))


def states(read: Callable[[datetime.datetime | None, int],
                          Sequence[ResourceState]],
           show: Callable[[ResourceState], Any], limit: int,
           marker: str | None) -> Pages[ResourceState, datetime.datetime]:
    """States of one resource; the place of one is when it began."""
    return Pages(
        read=read, show=show, place=lambda state: state.since, limit=limit,
        mark=lambda since: [period.microseconds(since)],
        after=position(marker, lambda parts: period.instant(
            _whole(*parts))))


def _sample_mark(stored: StoredSample) -> Sequence[Any]:
    sample = stored.sample
    return [period.microseconds(sample.timestamp),
            period.microseconds(stored.recorded_at),
            quantity.text(sample.volume), sample.message_id, sample.source,
            sample.meter, sample.kind.value, sample.unit, sample.resource_id,
            sample.project_id, sample.user_id]


def _sample_of(parts: Any) -> StoredSample:
    timestamp, recorded, volume, *texts, project, user = parts
    message_id, source, meter, kind, unit, resource = map(_checked, texts)
    return StoredSample(
        recorded_at=period.instant(_whole(recorded)), sample=Sample(
            timestamp=period.instant(_whole(timestamp)),
            volume=_volume(volume), message_id=message_id,
            source=source, meter=meter, kind=MeterKind(kind), unit=unit,
            resource_id=resource,
            project_id=_checked_or_none(project),
            user_id=_checked_or_none(user)))


def _meter_mark(seen: MeterSeen) -> Sequence[Any]:
    return [seen.name, seen.kind.value, seen.unit, seen.resource_id]


def _meter_of(parts: Any) -> MeterSeen:
    *texts, resource = parts
    name, kind, unit = map(_checked, texts)
    return MeterSeen(
        name=name, kind=MeterKind(kind), unit=unit,
        resource_id=_checked_or_none(resource))


def _text_of(parts: Any) -> str:
    [text] = parts
    return _checked(text)


def _checked(text: object) -> str:
    if not isinstance(text, str):
        raise TypeError(f'{text!r} is no text')
    metadata.check_text(_NAME, text)
    return text


def _checked_or_none(text: object) -> str | None:
    return None if text is None else _checked(text)


def _whole(number: object) -> int:
    if not isinstance(number, int) or isinstance(number, bool):
        raise TypeError(f'{number!r} is no whole number')
    return number


def _volume(text: object) -> Decimal:
    """As it can be stored; a power of ten in it would be written out."""
    volume = Decimal(_checked(text))
    if (not volume.is_finite() or not quantity.is_bounded(volume)
            or quantity.rounded(volume) != volume):
        raise ValueError(f'{volume} is no volume')
    return quantity.rounded(volume)     # else zero keeps a power of its own
