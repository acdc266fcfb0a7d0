# SPDX-License-Identifier: Apache-2.0
"""What the API takes and sends: WSME types, and nothing but translation.

Quantities are exact decimals, here too: a JSON number is written with all of
its digits, in Digits and nowhere else.
"""

from __future__ import annotations

import base64
import datetime
import re
import urllib.parse
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import simplejson
from wsme import types as wtypes

from moc_meter.api.v2 import refusals, timestamp
from moc_meter.model import metadata, quantity, query
from moc_meter.model.sample import MeterKind

#: Kinds as this API names them; an event counts like a delta of 1.
KINDS = (MeterKind.GAUGE, MeterKind.DELTA, MeterKind.CUMULATIVE)
_NUMBER = re.compile(r'\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,6})?\s*',
                     re.ASCII)
_WHOLE = re.compile(r'\s*[+-]?\d{1,18}\s*', re.ASCII)
#: Beyond these powers of ten a volume is no measurement, and too long.
_MAX_EXPONENT = 400


#: What is shown of a type: its values by the names of its fields. A page of
#: them is written without an object of WSME's for each, see writing.py.
Shown = Mapping[str, object]


class Digits(simplejson.RawJSON):       # type: ignore[misc]
    """A number as JSON and XML write it: '18.0', '0.000000001', never '1E-9'.

    With a point always, so that a whole number is a float for whom it was one.
    """

    def __init__(self, value: Decimal) -> None:
        super().__init__(_digits(value))

    def __str__(self) -> str:
        return str(self.encoded_json)


def _digits(value: Decimal) -> str:
    shown = quantity.text(value)
    return shown if '.' in shown else f'{shown}.0'


class _Said(wtypes.UserType):           # type: ignore[misc]
    """Takes what JSON or XML said as it is, for validate() to judge."""

    @staticmethod
    def basetype(value: Any) -> Any:
        return value


class Number(_Said):
    """An exact number, with every digit.

    Taken are numbers and texts that hold one, finite; given are decimals.
    """

    name = 'number'

    @staticmethod
    def tobasetype(value: Decimal) -> Digits:
        return Digits(value)

    #: As JSON at once, see writing.py; so has Timestamp.
    json = staticmethod(_digits)

    @staticmethod
    def validate(value: object) -> Decimal:
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            value = Decimal(value.strip())
        elif isinstance(value, int) and not isinstance(value, bool):
            value = Decimal(value)
        if not isinstance(value, Decimal) or not value.is_finite():
            raise ValueError('A finite number is expected.')
        return value


class Volume(Number):
    """The volume of a sample that comes in: of a bounded length as well."""

    @staticmethod
    def validate(value: object) -> Decimal:
        number = Number.validate(value)
        exponent = int(number.as_tuple().exponent)
        if max(-exponent, number.adjusted()) >= _MAX_EXPONENT:
            raise ValueError('The number has too many digits.')
        return number


class Count(_Said):
    """A whole number, or the text of one."""

    name = 'count'

    @staticmethod
    def validate(value: object) -> int:
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError('unable to convert to int')  # noqa: TRY004
        return value


class Timestamp(wtypes.UserType):       # type: ignore[misc]
    """An instant, in UTC."""

    basetype = wtypes.text
    name = 'timestamp'

    @staticmethod
    def tobasetype(value: datetime.datetime) -> str:
        return timestamp.show(value)

    @staticmethod
    def json(value: datetime.datetime) -> str:
        return f'"{timestamp.show(value)}"'

    @staticmethod
    def frombasetype(value: object) -> datetime.datetime | None:
        if value is None:
            return None
        try:
            if isinstance(value, str):
                return timestamp.parse(value)
        except ValueError:
            pass
        raise refusals.invalid('samples', value, 'invalid timestamp format')


class Document(_Said):
    """A JSON object of any form that is nested no deeper than a request."""

    name = 'document'

    @staticmethod
    def validate(value: object) -> dict[str, object]:
        if not isinstance(value, dict):
            # WSME's contract: a ValueError is a refusal.
            raise ValueError('An object is expected.')  # noqa: TRY004
        return {key: _plain(inner) for key, inner in value.items()}


def _plain(value: object) -> object:
    """Metadata's numbers are plain ones: they are no quantities."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value


NUMBER: Any = Number()
COUNT: Any = Count()
DOCUMENT: Any = Document()
VOLUME: Any = Volume()
TIMESTAMP: Any = Timestamp()
TEXTS: Any = wtypes.DictType(wtypes.text, wtypes.text)


class Link(wtypes.Base):                # type: ignore[misc]
    """A reference to another resource of the API."""

    rel = wtypes.text
    href = wtypes.text
    type = wtypes.text


class OldSample(wtypes.Base):           # type: ignore[misc]
    """A sample, as /v2/meters/{name} shows it and takes it."""

    source = wtypes.text
    counter_name = wtypes.wsattr(wtypes.text, mandatory=True)
    counter_type = wtypes.wsattr(wtypes.text, mandatory=True)
    counter_unit = wtypes.wsattr(wtypes.text, mandatory=True)
    counter_volume = wtypes.wsattr(VOLUME, mandatory=True)
    user_id = wtypes.text
    project_id = wtypes.text
    resource_id = wtypes.wsattr(wtypes.text, mandatory=True)
    timestamp = TIMESTAMP
    recorded_at = TIMESTAMP
    resource_metadata = TEXTS
    message_id = wtypes.text

    @staticmethod
    def of(stored: query.StoredSample) -> Shown:
        sample = stored.sample
        return {
            'source': sample.source, 'counter_name': sample.meter,
            'counter_type': kind(sample.kind), 'counter_unit': sample.unit,
            'counter_volume': sample.volume, 'user_id': sample.user_id,
            'project_id': sample.project_id,
            'resource_id': sample.resource_id,
            'timestamp': sample.timestamp, 'recorded_at': stored.recorded_at,
            'resource_metadata': metadata.flattened(sample.metadata),
            'message_id': sample.message_id}


class IngestedSample(wtypes.Base):      # type: ignore[misc]
    """A sample with an id of its own, as /v2/ingest takes it."""

    message_id = wtypes.wsattr(wtypes.text, mandatory=True)
    source = wtypes.wsattr(wtypes.text, mandatory=True)
    counter_name = wtypes.wsattr(wtypes.text, mandatory=True)
    counter_type = wtypes.wsattr(wtypes.text, mandatory=True)
    counter_unit = wtypes.wsattr(wtypes.text, mandatory=True)
    counter_volume = wtypes.wsattr(VOLUME, mandatory=True)
    resource_id = wtypes.wsattr(wtypes.text, mandatory=True)
    timestamp = wtypes.wsattr(TIMESTAMP, mandatory=True)
    project_id = wtypes.text
    user_id = wtypes.text
    resource_metadata = DOCUMENT


class ComplexQuery(wtypes.Base):        # type: ignore[misc]
    """A complex query: texts that hold JSON, see filters.py."""

    filter = wtypes.wsattr(wtypes.text, default=None)
    orderby = wtypes.wsattr(wtypes.text, default=None)
    limit = wtypes.wsattr(COUNT, default=None)


class Outcome(wtypes.Base):             # type: ignore[misc]
    """What became of one sample of a batch."""

    message_id = wtypes.text
    #: stored, duplicate, conflict, expired, refused
    status = wtypes.text
    reason = wtypes.text


class Sample(wtypes.Base):              # type: ignore[misc]
    """A sample, as /v2/samples shows it."""

    id = wtypes.text
    meter = wtypes.text
    type = wtypes.text
    unit = wtypes.text
    volume = NUMBER
    user_id = wtypes.text
    project_id = wtypes.text
    resource_id = wtypes.text
    source = wtypes.text
    timestamp = TIMESTAMP
    recorded_at = TIMESTAMP
    metadata = TEXTS

    @staticmethod
    def of(stored: query.StoredSample) -> Shown:
        sample = stored.sample
        return {
            'id': sample.message_id, 'meter': sample.meter,
            'type': kind(sample.kind), 'unit': sample.unit,
            'volume': sample.volume, 'user_id': sample.user_id,
            'project_id': sample.project_id,
            'resource_id': sample.resource_id, 'source': sample.source,
            'timestamp': sample.timestamp, 'recorded_at': stored.recorded_at,
            'metadata': metadata.flattened(sample.metadata)}


class Meter(wtypes.Base):               # type: ignore[misc]
    """A meter of a resource; or of all, where they are asked for uniquely."""

    name = wtypes.text
    type = wtypes.text
    unit = wtypes.text
    resource_id = wtypes.text
    project_id = wtypes.text
    user_id = wtypes.text
    source = wtypes.text
    meter_id = wtypes.text

    @staticmethod
    def of(seen: query.MeterSeen) -> Shown:
        identity = f'{seen.resource_id}+{seen.name}'.encode()
        return {
            'name': seen.name, 'type': kind(seen.kind), 'unit': seen.unit,
            'resource_id': seen.resource_id, 'project_id': seen.project_id,
            'user_id': seen.user_id, 'source': seen.source,
            'meter_id': base64.b64encode(identity).decode()}


class Resource(wtypes.Base):            # type: ignore[misc]
    """Something that was measured."""

    resource_id = wtypes.text
    project_id = wtypes.text
    user_id = wtypes.text
    first_sample_timestamp = TIMESTAMP
    last_sample_timestamp = TIMESTAMP
    metadata = TEXTS
    links = wtypes.ArrayType(Link)
    source = wtypes.text

    @staticmethod
    def of(seen: query.ResourceSeen, service_url: str,
           meter_links: bool) -> Shown:
        return {
            'resource_id': seen.resource_id, 'project_id': seen.project_id,
            'user_id': seen.user_id, 'first_sample_timestamp': seen.first,
            'last_sample_timestamp': seen.last,
            'metadata': metadata.flattened(seen.metadata),
            'source': seen.source,
            'links': _links(seen, service_url, meter_links)}


class ResourceState(wtypes.Base):       # type: ignore[misc]
    """What was said of a resource, from one report till another changed it."""

    resource_id = wtypes.text
    project_id = wtypes.text
    user_id = wtypes.text
    source = wtypes.text
    metadata = TEXTS
    valid_from = TIMESTAMP
    valid_until = TIMESTAMP

    @staticmethod
    def of(state: query.ResourceState, resource_id: str) -> Shown:
        return {
            'resource_id': resource_id, 'project_id': state.project_id,
            'user_id': state.user_id, 'source': state.source,
            'metadata': metadata.flattened(state.metadata),
            'valid_from': state.since, 'valid_until': state.until}


def _links(seen: query.ResourceSeen, service_url: str,
           meter_links: bool) -> list[Shown]:
    base, resource = f'{service_url}/v2', _quoted(seen.resource_id)
    names = seen.meters if meter_links else ()
    return [
        {'rel': 'self', 'href': f'{base}/resources/{resource}'},
        *({'rel': name, 'href': f'{base}/meters/{_quoted(name)}'
                                f'?q.field=resource_id&q.value={resource}'}
          for name in names)]


class Statistics(wtypes.Base):          # type: ignore[misc]
    """What the samples of one unit, group and period amount to."""

    min = NUMBER
    max = NUMBER
    avg = NUMBER
    sum = NUMBER
    count = int
    aggregate = wtypes.DictType(wtypes.text, NUMBER)
    unit = wtypes.text
    groupby = TEXTS
    duration = NUMBER
    duration_start = TIMESTAMP
    duration_end = TIMESTAMP
    period = int
    period_start = TIMESTAMP
    period_end = TIMESTAMP


def nearest(figure: Decimal | float) -> Decimal:
    """What the nearest double to a figure says, in its shortest digits.

    For quotients and roots, which no finite number of digits may hold.
    """
    return Decimal(repr(float(figure)))


def kind(said: MeterKind) -> str:
    """The type of a meter, in the words of this API."""
    return said.value if said in KINDS else MeterKind.DELTA.value


def _quoted(value: str) -> str:
    return urllib.parse.quote(value, safe=':')
