# SPDX-License-Identifier: Apache-2.0
"""Whether a sample may enter: its form, its figures, its time.

Asked where samples enter from outside: by the collector and by the API.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass

from moc_meter import errors
from moc_meter.model import metadata, period, quantity
from moc_meter.model.meter import Definitions, MeterDefinition
from moc_meter.model.sample import MeterKind, Sample, canonical
from moc_meter.model.traits import traits

#: Longest texts, in characters; what the store's columns hold.
LENGTHS = {'source': 255, 'message_id': 255, 'meter': 255, 'unit': 64,
           'resource_id': 512, 'project_id': 255, 'user_id': 255}
#: Longest metadata of one sample, as canonical JSON, in bytes.
MAX_METADATA = 256 * 1024
#: Most scalars in it, and most characters of their paths and values: a store
#: keeps a row for each, and a long key is in the path of all that is below.
MAX_SCALARS = 4096
MAX_PATHS = 1024 * 1024
_MAX_SEQUENCE = 2 ** 63
#: Metadata of no more characters are remembered once they were admitted, so
#: many at most: a resource says the same with nearly every sample.
_USUAL = 4096
_REMEMBERED = 4096
#: Metadata that were admitted, by identity: those that come from a bus are
#: shared, and nobody changes what a sample says. So many at most, of so many
#: characters: whoever posts decides what stays, and it takes 20 times as much.
_SHARED, _SHORT = 1024, 1024
_admitted: dict[int, Mapping[str, object]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """The rules of one deployment.

    strict: whether a sample whose meter is not defined, or not with this
        kind or unit, is refused; otherwise it is kept and answered, and
        accounting leaves it aside.
    max_future: how far a timestamp may lie ahead of our clock.
    """

    definitions: Definitions
    strict: bool = False
    max_future: datetime.timedelta = datetime.timedelta(seconds=300)

    def admit(self, sample: Sample, now: datetime.datetime) -> Sample:
        """The sample as it is to be stored; InvalidSample where it is not.

        A volume with more than 9 fractional digits is rounded half to even
        and the sample says so.
        """
        _check_texts(sample)
        _check_metadata(sample)
        self._check_times(sample, now)
        if sample.is_event:
            _check_event(sample)
            return sample
        self._check_meter(sample)
        if not quantity.is_bounded(sample.volume):
            raise errors.InvalidSample(
                'volume must be below 10**20', meter=sample.meter,
                resource_id=sample.resource_id, volume=sample.volume)
        kept = quantity.rounded(sample.volume)
        if kept == sample.volume:
            return sample
        return dataclasses.replace(sample, volume=kept, rounded=True)

    def _check_times(self, sample: Sample, now: datetime.datetime) -> None:
        for name, instant in sample.instants():
            if not period.EPOCH <= instant <= now + self.max_future:
                raise errors.InvalidSample(
                    f'{name} must lie after 1970 and not in the future',
                    meter=sample.meter, resource_id=sample.resource_id,
                    **{name: instant.isoformat()})
        if sample.interval and not sample.interval[0] <= sample.interval[1]:
            raise errors.InvalidSample(
                'interval must not end before it starts', meter=sample.meter,
                interval=sample.interval)

    def _check_meter(self, sample: Sample) -> None:
        known = self.definitions.find(sample.meter)
        if self.strict:
            _check_definition(sample, known)
        if (known and not known.allow_negative and sample.volume < 0
                and _fits(sample, known)):
            raise errors.InvalidSample(
                'volume must not be negative', meter=sample.meter,
                resource_id=sample.resource_id, volume=sample.volume)


def _check_event(sample: Sample) -> None:
    """Types of events are as many as services like, so none is defined."""
    if sample.kind is not MeterKind.EVENT or sample.volume != 1:
        raise errors.InvalidSample('an event is of kind event and volume 1',
                                   meter=sample.meter, kind=sample.kind.value,
                                   volume=sample.volume)
    traits(sample.metadata)


def _fits(sample: Sample, known: MeterDefinition) -> bool:
    return (sample.unit in known.units
            and (sample.kind == known.kind
                 or {sample.kind, known.kind} <= {MeterKind.EVENT,
                                                  MeterKind.DELTA}))


def _check_definition(sample: Sample, known: MeterDefinition | None) -> None:
    if known is None:
        raise errors.InvalidSample('no such meter is defined',
                                   meter=sample.meter)
    if not _fits(sample, known):
        raise errors.InvalidSample(
            'the meter does not have this kind and unit', meter=sample.meter,
            kind=sample.kind.value, unit=sample.unit,
            allowed_kind=known.kind.value, allowed_units=known.units)


def _check_texts(sample: Sample) -> None:
    for name, longest in LENGTHS.items():
        value = getattr(sample, name)
        if value is None and name in ('project_id', 'user_id'):
            continue
        if not isinstance(value, str):
            raise errors.InvalidSample('must be text', field=name,
                                       value=value)
        if not value and name in ('source', 'message_id', 'meter',
                                  'resource_id'):
            raise errors.InvalidSample('must not be empty', field=name)
        if len(value) > longest:
            raise errors.InvalidSample('text is too long', field=name,
                                       length=len(value), limit=longest)
        metadata.check_text(name, value)
    if sample.sequence is not None and not (
            0 <= sample.sequence < _MAX_SEQUENCE):
        raise errors.InvalidSample('sequence must be a 63-bit number',
                                   sequence=sample.sequence)


def _check_metadata(sample: Sample) -> None:
    if _admitted.get(id(sample.metadata)) is sample.metadata:
        return
    try:
        content = canonical(sample.metadata)
        if len(content) <= _USUAL:
            _check_usual(content)
            if len(content) <= _SHORT:
                if len(_admitted) >= _SHARED:
                    _admitted.clear()
                _admitted[id(sample.metadata)] = sample.metadata
        else:
            _check_content(content)
    except (TypeError, ValueError, RecursionError):
        metadata.check(sample.metadata)     # says what is wrong with it
        raise


def _check_content(content: str) -> None:
    found = json.loads(content)
    metadata.check(found)
    size = len(content.encode())
    if size > MAX_METADATA:
        raise errors.InvalidSample('metadata is too large', bytes=size,
                                   limit=MAX_METADATA)
    length = 0
    for count, (path, _, value) in enumerate(metadata.scalars(found), 1):
        length += len(path) + len(value)
        if count > MAX_SCALARS or length > MAX_PATHS:
            raise errors.InvalidSample(
                'metadata says too much', scalars_limit=MAX_SCALARS,
                characters_limit=MAX_PATHS)


_check_usual = functools.lru_cache(_REMEMBERED)(_check_content)
