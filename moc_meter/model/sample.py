# SPDX-License-Identifier: Apache-2.0
"""What a sample is.

A sample is made once, at its source, and never changed afterwards.
"""

from __future__ import annotations

import datetime
import enum
import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from moc_meter import errors
from moc_meter.model import quantity

_KEYS = uuid.UUID('9b1c2a40-3d57-5e0e-8a64-51f7f7a3c2d8')
_OURS = re.compile(r'[0-9a-f]{32}')


class MeterKind(enum.StrEnum):
    """How the volumes of a meter are to be read."""

    GAUGE = 'gauge'            # the level at an instant: vcpus, GiB
    DELTA = 'delta'            # what was added since the last sample
    CUMULATIVE = 'cumulative'  # a counter's reading: CPU time in ns
    EVENT = 'event'            # something that happened: volume 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value of one meter of one resource at one instant."""

    source: str                     # which deployment measured it
    message_id: str                 # unique within the source, for ever
    timestamp: datetime.datetime    # aware, UTC
    meter: str                      # 'volume.size'
    kind: MeterKind
    unit: str                       # 'GiB'; as its meter defines it
    volume: Decimal                 # finite; at most 9 fractional digits
    resource_id: str                # unique within the source
    project_id: str | None = None
    user_id: str | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)
    #: [start, end) that the volume of a delta was counted in, where said
    interval: tuple[datetime.datetime, datetime.datetime] | None = None
    counter_start: datetime.datetime | None = None  # when a counter was 0
    sequence: int | None = None     # place in what its producer made
    rounded: bool = False           # more digits than 9 came in
    is_event: bool = False          # metadata are its traits, see traits.py

    def __post_init__(self) -> None:
        # Of most samples nothing else is to be looked at.
        if (self.timestamp.tzinfo is not datetime.UTC or self.interval
                or self.counter_start):
            self._check_zones()
        if not self.volume.is_finite():
            raise errors.InvalidSample(
                'volume must be a finite number', meter=self.meter,
                resource_id=self.resource_id, volume=self.volume)

    def _check_zones(self) -> None:
        for name, instant in self.instants():
            if (instant.tzinfo is not datetime.UTC
                    and instant.utcoffset() != datetime.timedelta(0)):
                raise errors.InvalidSample(
                    f'{name} must be aware and in UTC', meter=self.meter,
                    resource_id=self.resource_id, **{name: instant})

    def instants(self) -> list[tuple[str, datetime.datetime]]:
        """Every instant that the sample states, with its field's name."""
        found = [('timestamp', self.timestamp)]
        if self.interval:
            found += [('interval', bound) for bound in self.interval]
        if self.counter_start:
            found.append(('counter_start', self.counter_start))
        return found

    @property
    def key(self) -> uuid.UUID:
        """What tells a second delivery from another sample of the series."""
        return key_of(self.message_id)


def key_of(message_id: str) -> uuid.UUID:
    """The message id itself where it is one of ours (derived_id).

    Of any other id a digest, and the store keeps the id beside it.
    """
    if is_ours(message_id):
        return uuid.UUID(int=int(message_id, 16))
    return uuid.uuid5(_KEYS, message_id)


def is_ours(message_id: str) -> bool:
    """Whether an id is its own key: 32 hexadecimal digits in lower case."""
    return _OURS.fullmatch(message_id) is not None


def kept_id(message_id: str) -> tuple[bytes, str | None]:
    """The bytes of the key, and the id where they do not spell it."""
    try:
        key = bytes.fromhex(message_id)
    except ValueError:
        key = b''
    # is_ours() takes longer.
    if len(key) == 16 and key.hex() == message_id:
        return key, None
    return key_of(message_id).bytes, message_id


def derived_id(*parts: str) -> str:
    """A message id made of what the sample was measured from.

    parts: the origin (the id of the notification, or the tick of the polling
        cycle), then the meter, then the resource; then its place, where one
        message holds several figures of one meter and resource.
    Returns 32 hexadecimal digits, the same for the same parts, so that a
    notification that is delivered twice yields one sample and not two.
    """
    return hashlib.sha256('\0'.join(parts).encode()).hexdigest()[:32]


def content_id(sample: Sample, place: int = 0) -> str:
    """A message id made of everything that a sample says but its id.

    For producers that name no ids (accounting 4.1). place tells equal samples
    of one request apart; their order among themselves does not matter.
    """
    said = [sample.source, sample.meter, sample.kind.value, sample.unit,
            sample.resource_id, sample.project_id, sample.user_id,
            sample.timestamp.isoformat(), quantity.text(sample.volume),
            [bound.isoformat() for bound in sample.interval or ()],
            sample.counter_start and sample.counter_start.isoformat(),
            sample.metadata]
    return derived_id(canonical(said), str(place))


def canonical(value: object) -> str:
    """JSON of which equal values have equal text: sorted keys, no blanks.

    Floats are written by their shortest exact text; text as it is, not escaped
    to ASCII.
    """
    return json.dumps(value, sort_keys=True, separators=(',', ':'),
                      ensure_ascii=False, allow_nan=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Something that came in and cannot be taken, with its bytes.

    It goes to quarantine, where it can be listed, mended and released.
    """

    content: bytes                  # as it came, or as nearly as is known
    code: str                       # of the error: 'moc_meter.sample.invalid'
    reason: str                     # the sentence, with its facts
    origin: str                     # who refused what: 'agent notification'
    source: str | None = None       # the deployment, where content names none
