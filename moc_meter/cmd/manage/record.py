# SPDX-License-Identifier: Apache-2.0
"""A sample as a JSON object with the field names of the v2 API."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from moc_meter import errors
from moc_meter.api.v2 import timestamp, types
from moc_meter.model.sample import MeterKind, Sample, content_id

#: Who refused a line that is none, in quarantine.
ORIGIN = 'sample load'
_TEXTS: Mapping[str, str] = {
    'source': 'source', 'message_id': 'message_id', 'counter_name': 'meter',
    'counter_unit': 'unit', 'resource_id': 'resource_id',
    'project_id': 'project_id', 'user_id': 'user_id'}
_OTHERS = ('counter_type', 'counter_volume', 'timestamp')
_REQUIRED = {'counter_name', 'counter_unit', 'resource_id', *_OTHERS}
#: Said by the API of samples that are stored; of no meaning here.
_PASSED_OVER = ('recorded_at',)
_KNOWN = {*_TEXTS, *_OTHERS, *_PASSED_OVER, 'resource_metadata'}
_DRAFT = 'draft'


def read(line: bytes, source: str) -> Sample:
    """The sample of a line; InvalidSample where the line is no such.

    source: of a sample that names none. One without a message id has the
    digest of all that it says for an id.
    """
    said = {name: value for name, value in _object(line).items()
            if value is not None}
    if unknown := said.keys() - _KNOWN:
        raise errors.InvalidSample('fields are not known',
                                   unknown=sorted(unknown),
                                   allowed=sorted(_KNOWN))
    if missing := _REQUIRED - said.keys():
        raise errors.InvalidSample('fields are missing',
                                   missing=sorted(missing))
    texts: dict[str, Any] = {'source': source, 'message_id': _DRAFT}
    for name, ours in _TEXTS.items():
        if name in said:
            texts[ours] = _text(name, said[name])
    sample = Sample(
        **texts, kind=_kind(said['counter_type']),
        volume=_read('counter_volume', types.Volume.validate, said),
        timestamp=_read('timestamp', timestamp.parse, said),
        metadata=_read('resource_metadata', types.Document.validate,
                       {'resource_metadata': {}, **said}))
    if 'message_id' in said:
        return sample
    try:
        return dataclasses.replace(sample, message_id=content_id(sample))
    except (ValueError, RecursionError) as fault:
        raise errors.InvalidSample('cannot be written as JSON',
                                   reason=str(fault)) from None


def _object(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line.decode(), parse_float=Decimal,
                           parse_constant=_no_number)
    except (ValueError, InvalidOperation, RecursionError) as fault:
        raise errors.InvalidSample('not JSON', reason=str(fault)) from None
    if not isinstance(found, dict):
        raise errors.InvalidSample('not a JSON object')
    return found


def _no_number(name: str) -> None:
    raise ValueError(f'{name} is not JSON')


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise errors.InvalidSample('must be text', field=name, value=value)
    return value


def _kind(value: object) -> MeterKind:
    allowed = [kind.value for kind in types.KINDS]
    if value not in allowed:
        raise errors.InvalidSample('no such kind', field='counter_type',
                                   value=value, allowed=allowed)
    return MeterKind(value)


def _read(name: str, convert: Any, said: Mapping[str, Any]) -> Any:
    try:
        return convert(said[name])
    except (ValueError, TypeError, OverflowError, RecursionError) as fault:
        raise errors.InvalidSample(str(fault), field=name,
                                   value=said[name]) from None
