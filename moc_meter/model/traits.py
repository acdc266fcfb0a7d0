# SPDX-License-Identifier: Apache-2.0
"""The traits of an event: what it says, named and typed.

An event is a sample of kind ``event`` and volume 1 that says ``is_event``;
its meter is the type of the event, its metadata are its traits:

    {'state': 'active', 'memory_mb': 512, 'load': 0.5,
     'launched_at': {'datetime': 1767225600000000}}

Text, whole numbers, other numbers, and instants in microseconds since 1970;
nothing else, and nothing nested.
"""

from __future__ import annotations

import datetime
import enum
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moc_meter import errors
from moc_meter.model import period

#: Longest name and longest text, in characters.
LONGEST_NAME, LONGEST_TEXT = 64, 255
#: Traits that say whose an event is.
PROJECT, USER = 'project_id', 'user_id'
_LARGEST = 2 ** 63


class TraitType(enum.StrEnum):
    """What a trait is compared as."""

    STRING = 'string'
    INTEGER = 'integer'
    FLOAT = 'float'
    DATETIME = 'datetime'


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """One trait.

    value: by its type a text, a whole number of 64 bits, a finite double, or
        an aware instant in UTC.
    """

    name: str
    type: TraitType
    value: Any

    @property
    def spelled(self) -> object:
        """The value as metadata have it."""
        if self.type is TraitType.DATETIME:
            return spelled(self.value)
        return self.value

    @property
    def ordered(self) -> str:
        """A text that compares with others of the type as the values do.

        By code point; different values have different ones. A text is its
        own; of all others it is 64 bits in 16 hexadecimal digits.
        """
        match self.type:
            case TraitType.STRING:
                return str(self.value)
            case TraitType.FLOAT:
                # Of a double the bits are in order, but for their signs; a
                # zero has one.
                bits = int.from_bytes(struct.pack('>d', self.value + 0))
                bits = (2 * _LARGEST - 1 - bits if bits >= _LARGEST
                        else bits + _LARGEST)
            case TraitType.INTEGER:
                bits = self.value + _LARGEST
            case TraitType.DATETIME:
                bits = period.microseconds(self.value) + _LARGEST
        return f'{bits:016x}'


def read(name: str, kind: TraitType, ordered: str) -> Trait:
    """The trait of this name and type that is ordered as the text is."""
    value: Any = ordered
    if kind is not TraitType.STRING:
        value = int(ordered, 16) - _LARGEST
    if kind is TraitType.DATETIME:
        value = period.instant(value)
    elif kind is TraitType.FLOAT:
        bits = value if value >= 0 else _LARGEST - 1 - value
        [value] = struct.unpack('>d', bits.to_bytes(8))
    return Trait(name=name, type=kind, value=value)


def spelled(instant: datetime.datetime) -> dict[str, int]:
    """An instant as a trait."""
    return {'datetime': period.microseconds(instant)}


def traits(metadata: Mapping[str, object]) -> list[Trait]:
    """The traits of an event by name; InvalidSample where they are none."""
    return [trait(name, value) for name, value in sorted(metadata.items())]


def project(metadata: Mapping[str, object]) -> str | None:
    """The project that an event with these traits belongs to, if any."""
    said = metadata.get(PROJECT)
    return None if said is None else str(said)


def trait(name: str, value: object) -> Trait:
    """One trait, of what metadata have; InvalidSample where it is none."""
    if 0 < len(name) <= LONGEST_NAME:
        match value:
            case bool():
                pass
            case str() if len(value) <= LONGEST_TEXT:
                return Trait(name=name, type=TraitType.STRING, value=value)
            case int() if -_LARGEST <= value < _LARGEST:
                return Trait(name=name, type=TraitType.INTEGER, value=value)
            case float() if math.isfinite(value):
                return Trait(name=name, type=TraitType.FLOAT, value=value)
            case {'datetime': int(instant), **rest} if not rest and (
                    0 <= instant < _LARGEST // 10 ** 3):
                return _instant(name, instant)
    raise errors.InvalidSample('no such trait', name=name, value=value)


def _instant(name: str, microseconds: int) -> Trait:
    try:
        return Trait(name=name, type=TraitType.DATETIME,
                     value=period.instant(microseconds))
    except OverflowError:
        raise errors.InvalidSample('no such trait', name=name,
                                   value=microseconds) from None
