# SPDX-License-Identifier: Apache-2.0
"""One line of a message: a sample, or something refused, as JSON and back.

    {"source":"region-1","message_id":"…","timestamp":1767225600000000,…}
    {"content":"…","code":"…","reason":"…","origin":"…","source":"…"}

A sample has the fields of model.sample; volumes are text ('0.1'), instants
whole microseconds since 1970 UTC, and what is None or empty is left out. The
content of what was refused is base64.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from moc_meter import errors
from moc_meter.model import period, quantity
from moc_meter.model.sample import MeterKind, Refused, Sample

_SAMPLE: Mapping[str, type] = {
    'source': str, 'message_id': str, 'timestamp': int, 'meter': str,
    'kind': str, 'unit': str, 'volume': str, 'resource_id': str}
_OPTIONAL: Mapping[str, type] = {
    'project_id': str, 'user_id': str, 'metadata': dict, 'interval': list,
    'counter_start': int, 'sequence': int, 'rounded': bool, 'is_event': bool}
_REFUSED: Mapping[str, type] = {
    'content': str, 'code': str, 'reason': str, 'origin': str}
#: Longest texts of something refused, in characters: what a store takes.
_TEXTS = {'code': 64, 'reason': 4096, 'origin': 255, 'source': 255}
_MAX_VOLUME = 128
_VOLUME = re.compile(r'-?[0-9]+(\.[0-9]+)?')
_KINDS = {kind.value: kind for kind in MeterKind}
#: Metadata of no more characters are remembered once they were read, so many
#: at most: a resource says the same with nearly every sample. What is read
#: may take 20 times as much: 40 MiB where somebody wants it to.
_USUAL = 2048
_REMEMBERED = 1024
#: A text in which nothing is escaped, and a number, as JSON has them.
_TEXT, _NUMBER = r'"([^"\\\x00-\x1f]*)"', '(-?(?:0|[1-9][0-9]{0,18}))'
#: A line as write_sample() makes them; what follows on metadata is figures.
_LINE = re.compile(
    r'\{' + ','.join(f'"{name}":{_NUMBER if kind is int else _TEXT}'
                     for name, kind in _SAMPLE.items())
    + f'(?:,"project_id":{_TEXT})?(?:,"user_id":{_TEXT})?'
    + r'(?:,"metadata":(\{.{0,' + str(_USUAL - 2) + r'}\}))?'
    + '((?:,"(?:interval|counter_start|sequence|rounded|is_event)":'
    # Each turn costs memory, so no more than there are figures.
    + r'(?:-?[0-9]+|true|\[-?[0-9]+,-?[0-9]+\])){0,5})\}')
#: What its groups are.
_PARTS = (*_SAMPLE, 'project_id', 'user_id', 'metadata')


def write_sample(sample: Sample) -> bytes:
    """The line; InvalidSample where JSON cannot say the sample."""
    said: dict[str, object] = {
        'source': sample.source, 'message_id': sample.message_id,
        'timestamp': period.microseconds(sample.timestamp),
        'meter': sample.meter, 'kind': sample.kind, 'unit': sample.unit,
        'volume': _digits(sample.volume), 'resource_id': sample.resource_id}
    if sample.project_id is not None:
        said['project_id'] = sample.project_id
    if sample.user_id is not None:
        said['user_id'] = sample.user_id
    if sample.metadata:
        said['metadata'] = sample.metadata
    if sample.interval:
        said['interval'] = [*map(period.microseconds, sample.interval)]
    if sample.counter_start:
        said['counter_start'] = period.microseconds(sample.counter_start)
    if sample.sequence is not None:
        said['sequence'] = sample.sequence
    if sample.rounded:
        said['rounded'] = True
    if sample.is_event:
        said['is_event'] = True
    return write(said)


def write_refused(refused: Refused) -> bytes:
    """The line; texts that no store would take are made such."""
    return write({'content': base64.b64encode(refused.content).decode(),
                  **{name: _storable(name, text) for name in _TEXTS
                     if (text := getattr(refused, name)) is not None}})


def read_sample(line: bytes) -> Sample:
    """The sample; InvalidSample where the line is no such."""
    said = read_in_parts(line)
    volume = said['volume']
    if len(volume) > _MAX_VOLUME or not _VOLUME.fullmatch(volume):
        raise errors.InvalidSample('volume must be a plain decimal',
                                   volume=volume)
    if said['kind'] not in _KINDS:
        raise errors.InvalidSample('no such kind', kind=said['kind'])
    said['volume'] = Decimal(volume)
    said['kind'] = _KINDS[said['kind']]
    try:
        said['timestamp'] = period.instant(said['timestamp'])
        if 'counter_start' in said:
            said['counter_start'] = period.instant(said['counter_start'])
        if 'interval' in said:
            said['interval'] = _interval(said['interval'])
    except OverflowError:
        raise errors.InvalidSample('an instant is out of bounds') from None
    return Sample(**said)


def read_refused(line: bytes) -> Refused:
    """What was refused; InvalidSample where the line is no such."""
    said = read(line)
    check(said, _REFUSED, {'source': str})
    try:
        content = base64.b64decode(said['content'], validate=True)
    except ValueError:
        raise errors.InvalidSample('content is not base64') from None
    return Refused(content=content, **{
        name: _storable(name, said[name]) for name in _TEXTS
        if name in said})


def set_aside(content: bytes, fault: errors.MeterError) -> Refused:
    """A sample that cannot be written, or a line that cannot be read."""
    return Refused(content=content, code=fault.code, origin='messaging',
                   reason=_storable('reason', str(fault)))


def spelled(sample: Sample) -> bytes:
    """A sample that JSON cannot say, as nearly as can be told."""
    shown = ', '.join(f'{one.name}={_shown(getattr(sample, one.name))}'
                      for one in dataclasses.fields(sample))
    return f'Sample({shown})'.encode('utf-8', 'backslashreplace')


def _shown(value: object) -> str:
    """Its repr; a value that cannot even be shown is named by its type."""
    try:
        return repr(value)
    except BaseException:
        return f'<{type(value).__name__}>'


def write(said: Mapping[str, object]) -> bytes:
    """The object as one line."""
    try:
        return _WRITER.encode(said).encode()
    except (TypeError, ValueError, RecursionError) as fault:
        raise errors.InvalidSample('cannot be written as JSON',
                                   reason=str(fault)) from None


def read(line: bytes) -> dict[str, Any]:
    """The object of a line; InvalidSample where there is none."""
    try:
        found = _READER.decode(line.decode())
    except (ValueError, RecursionError) as fault:
        raise errors.InvalidSample('not JSON', reason=str(fault)) from None
    if type(found) is not dict:
        raise errors.InvalidSample('not a JSON object')
    return found


def read_whole(line: bytes) -> dict[str, Any]:
    """The fields of a sample's line; InvalidSample where one is no such."""
    said = read(line)
    check(said, _SAMPLE, _OPTIONAL)
    return said


def read_in_parts(line: bytes) -> dict[str, Any]:
    """What read_whole() finds; quickly where the line is as usual.

    Whatever has the same metadata shares it. Where they are an object by
    themselves, and the rest of the line is as it must be, the line is one.
    """
    try:
        found = _LINE.fullmatch(line.decode())
        if not found:
            return read_whole(line)
        *parts, figures = found.groups()
        said: dict[str, Any] = {
            name: part for name, part in zip(_PARTS, parts, strict=True)
            if part is not None}
        said['timestamp'] = int(said['timestamp'])
        if 'metadata' in said:
            said['metadata'] = _usual(said['metadata'].encode())
        if figures:
            more = read(f'{{{figures[1:]}}}'.encode())
            check(more, {}, _OPTIONAL)
            said |= more
    except (UnicodeDecodeError, errors.InvalidSample):
        return read_whole(line)
    return said


def check(said: Mapping[str, object], required: Mapping[str, type],
          optional: Mapping[str, type] | None = None) -> None:
    """Raise InvalidSample where a field is missing, unknown, or no such."""
    if missing := required.keys() - said:
        raise errors.InvalidSample('fields are missing',
                                   missing=sorted(missing))
    for name, value in said.items():
        expected = required.get(name) or (optional or {}).get(name)
        if expected is None:
            raise errors.InvalidSample('a field is not known', field=name)
        # Not isinstance: True is no number here.
        if type(value) is not expected:
            raise errors.InvalidSample(
                'a field has the wrong type', field=name,
                type=type(value).__name__, expected=expected.__name__)


def _digits(volume: Decimal) -> str:
    # One with a great exponent would fill the memory, written out.
    if abs(volume.adjusted()) < _MAX_VOLUME:
        text = quantity.text(volume)
        if len(text) <= _MAX_VOLUME:
            return text
    raise errors.InvalidSample('the volume has too many digits',
                               limit=_MAX_VOLUME)


def _interval(bounds: list[Any]) -> tuple[Any, ...]:
    if [type(bound) for bound in bounds] != [int, int]:
        raise errors.InvalidSample('interval must be two instants')
    return tuple(period.instant(bound) for bound in bounds)


def _storable(name: str, text: str) -> str:
    """The text without what databases refuse, and not too long."""
    return text.replace('\0', '\\0').encode(
        'utf-8', 'backslashreplace').decode()[:_TEXTS[name]]


def _plain(value: object) -> dict[str, object]:
    """Asked of what is neither dict, nor list, nor scalar."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f'there is a {type(value).__name__} in it')


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError('a key is there twice')
    return found


def _finite(digits: str) -> float:
    """A number with a fraction or an exponent: only metadata has those."""
    number = float(digits)
    if math.isinf(number):
        raise ValueError('a number is out of bounds')
    return number


def _no_number(name: str) -> float:
    raise ValueError(f'{name} is not JSON')


_WRITER = json.JSONEncoder(ensure_ascii=False, allow_nan=False,
                           check_circular=False, separators=(',', ':'),
                           default=_plain)
_READER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_finite,
                           parse_constant=_no_number)
_usual = functools.lru_cache(_REMEMBERED)(read)
