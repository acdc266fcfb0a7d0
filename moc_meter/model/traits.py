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
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from moc_meter import errors
from moc_meter.model import period, quantity

#: Longest name and longest text, in characters.
LONGEST_NAME, LONGEST_TEXT = 64, 255
_LARGEST = 2 ** 63


class TraitType(enum.StrEnum):
    """What a trait is compared as."""

    STRING = 'string'
    INTEGER = 'integer'
    FLOAT = 'float'
    DATETIME = 'datetime'


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """One trait; what its type does not have is None.

    text: of a string itself, of a float its digits as JSON has them.
    number: of a float, to 9 fractional digits, to compare by.
    """

    name: str
    type: TraitType
    text: str | None = None
    integer: int | None = None
    number: Decimal | None = None
    instant: datetime.datetime | None = None

    @property
    def value(self) -> object:
        """As metadata spell it."""
        match self.type:
            case TraitType.INTEGER:
                return self.integer
            case TraitType.FLOAT:
                return json.loads(self.text or '')
            case TraitType.DATETIME if self.instant:
                return spelled(self.instant)
        return self.text


def spelled(instant: datetime.datetime) -> dict[str, int]:
    """An instant as a trait."""
    return {'datetime': period.microseconds(instant)}


def traits(metadata: Mapping[str, object]) -> list[Trait]:
    """The traits of an event by name; InvalidSample where they are none."""
    return [_trait(name, value) for name, value in sorted(metadata.items())]


def _trait(name: str, value: object) -> Trait:
    if 0 < len(name) <= LONGEST_NAME:
        match value:
            case bool():
                pass
            case str() if len(value) <= LONGEST_TEXT:
                return Trait(name=name, type=TraitType.STRING, text=value)
            case int() if -_LARGEST <= value < _LARGEST:
                return Trait(name=name, type=TraitType.INTEGER, integer=value)
            case float() if abs(value) < quantity.LIMIT:
                digits = json.dumps(value)
                return Trait(name=name, type=TraitType.FLOAT, text=digits,
                             number=quantity.rounded(Decimal(digits)))
            case {'datetime': int(instant), **rest} if not rest and (
                    0 <= instant < _LARGEST // 10 ** 3):
                return _instant(name, instant)
    raise errors.InvalidSample('no such trait', name=name, value=value)


def _instant(name: str, microseconds: int) -> Trait:
    try:
        return Trait(name=name, type=TraitType.DATETIME,
                     instant=period.instant(microseconds))
    except OverflowError:
        raise errors.InvalidSample('no such trait', name=name,
                                   value=microseconds) from None
