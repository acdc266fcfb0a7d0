# SPDX-License-Identifier: Apache-2.0
"""What a client tells a service: samples, and values in JSON."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

import simplejson

from moc_meter import errors
from moc_meter.client.filters import instant
from moc_meter.model import quantity
from moc_meter.model.sample import MeterKind, Sample

#: What a volume may be given as; a float is what its shortest digits say.
Number = Decimal | int | float | str


def measured(meter: str, volume: Number, *, source: str, resource_id: str,
             unit: str = '', kind: str = 'delta',
             project_id: str | None = None, user_id: str | None = None,
             timestamp: datetime.datetime | None = None,
             metadata: Mapping[str, object] | None = None,
             message_id: str | None = None) -> Sample:
    """One value of one meter of one resource at one instant.

    volume: rounded to 9 fractional digits, as a service keeps it.
    kind: 'delta' is what was added since the last report, 'gauge' a level,
        'cumulative' a counter's reading.
    timestamp: aware; now where it is not said.
    message_id: unique within the source; a new one where it is not said.
    Raises InvalidSample where it can be none.
    """
    try:
        exact = Decimal(str(volume))
        digits = quantity.rounded(exact)
        chosen = MeterKind(kind)
    except (InvalidOperation, ValueError) as fault:
        raise errors.InvalidSample(
            'no such volume or kind', meter=meter, volume=volume, kind=kind,
            kinds=[one.value for one in MeterKind]) from fault
    at = timestamp or datetime.datetime.now(datetime.UTC)
    return Sample(
        source=source, message_id=message_id or uuid.uuid4().hex,
        timestamp=_utc(at, meter), meter=meter, kind=chosen, unit=unit,
        volume=digits, resource_id=resource_id, project_id=project_id,
        user_id=user_id, metadata=metadata or {})


def _utc(at: datetime.datetime, meter: str) -> datetime.datetime:
    if at.tzinfo is None:
        raise errors.InvalidSample('timestamp must say its zone',
                                   meter=meter, timestamp=at)
    try:
        return at.astimezone(datetime.UTC)
    except OverflowError as fault:
        raise errors.InvalidSample('only the years 1 to 9999 can be told',
                                   meter=meter, timestamp=at) from fault


def ingested(sample: Sample) -> dict[str, object]:
    """A sample as /v2/ingest takes it."""
    return {**posted(sample), 'message_id': sample.message_id}


def posted(sample: Sample) -> dict[str, object]:
    """A sample as /v2/meters/{name} takes it, which makes an id itself."""
    # Of events, which count like a delta of 1, the API has no name.
    kind = (MeterKind.DELTA if sample.kind is MeterKind.EVENT
            else sample.kind)
    return {
        'source': sample.source, 'counter_name': sample.meter,
        'counter_type': kind.value, 'counter_unit': sample.unit,
        'counter_volume': quantity.text(sample.volume),
        'resource_id': sample.resource_id, 'project_id': sample.project_id,
        'user_id': sample.user_id, 'timestamp': instant(sample.timestamp),
        'resource_metadata': sample.metadata}


def json(value: object) -> str:
    """JSON with exact numbers, and instants as the API reads them.

    Raises InvalidQuery where there is none.
    """
    try:
        made: str = simplejson.dumps(value, use_decimal=True, default=_plain,
                                     allow_nan=False, separators=(',', ':'))
    except (TypeError, ValueError, RecursionError) as fault:
        raise errors.InvalidQuery('JSON cannot say it',
                                  reason=str(fault)) from fault
    return made


def _plain(value: object) -> object:
    match value:
        case datetime.datetime():
            return instant(value)
        case Mapping():
            return dict(value)
    raise TypeError(f'there is a {type(value).__name__} in it')
