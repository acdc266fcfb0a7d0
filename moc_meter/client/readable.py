# SPDX-License-Identifier: Apache-2.0
"""Volumes as people read them, for tables; machines are told every digit."""

from __future__ import annotations

import decimal
import itertools
from decimal import Decimal
from typing import Final

from moc_meter import errors

_STEP: Final = 1024
#: KB, MB and GB are not here: whether 1000 or 1024 is meant, they do not say.
_BYTES: Final = ('B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB')
_SECONDS: Final = {
    'ns': Decimal('1e-9'), 'µs': Decimal('1e-6'), 'us': Decimal('1e-6'),
    'ms': Decimal('1e-3'), 's': Decimal(1), 'sec': Decimal(1),
    'second': Decimal(1), 'min': Decimal(60), 'h': Decimal(3600)}
#: Sizes of units by what they measure.
_SAME: Final = (_SECONDS, {name: Decimal(_STEP) ** place
                           for place, name in enumerate(_BYTES)})
_LONG: Final = (('d', 86400), ('h', 3600), ('min', 60), ('s', 1))
_SHORT: Final = (('s', Decimal(1)), ('ms', Decimal('1e-3')),
                 ('µs', Decimal('1e-6')), ('ns', Decimal('1e-9')))
#: Digits that tell enough; those before the point are all told.
_DIGITS: Final = 4
_SCALE: Final = Decimal('1e-9')
_WIDE: Final = decimal.Context(prec=80, rounding=decimal.ROUND_HALF_EVEN)


def quantity(volume: Decimal, unit: str) -> str:
    """The volume and its unit: '1.5 GiB', '3 d 4 h', '12,345 request'.

    unit: as its meter has it. Bytes and times are told in the unit that
        suits their size, everything else in its own.
    """
    with decimal.localcontext(_WIDE):
        if unit in _SECONDS:
            return duration(volume * _SECONDS[unit])
        label, slash, each = unit.partition('/')
        if label in _BYTES:
            return _bytes(volume, label) + slash + each
        return f'{number(volume)} {unit}'.rstrip()


def convert(volume: Decimal, unit: str, to: str) -> Decimal:
    """The volume in another unit, rounded to nine digits behind the point.

    Raises InvalidQuery where the units do not measure the same.
    """
    for same in _SAME:
        if unit in same:
            if to in same:
                with decimal.localcontext(_WIDE):
                    return (volume * same[unit] / same[to]).quantize(
                        _SCALE).normalize()
            raise errors.InvalidQuery('not a unit of the same', unit=unit,
                                      value=to, allowed=tuple(same))
    if unit != to:
        raise errors.InvalidQuery('bytes and times have other units only',
                                  unit=unit, value=to)
    return volume


def suiting(volume: Decimal, unit: str) -> str:
    """The largest unit of the same of which the volume is one at least."""
    for same in _SAME:
        if unit in same:
            with decimal.localcontext(_WIDE):
                size = abs(volume) * same[unit]
            return max((name for name in same if same[name] <= size),
                       key=same.__getitem__, default=unit)
    return unit


def duration(seconds: Decimal) -> str:
    """The two largest parts of it: '3 d 4 h', '12 min 30 s', '1.5 ms'."""
    if seconds < 0:
        return f'-{duration(-seconds)}'
    with decimal.localcontext(_WIDE):
        if _cut(seconds) >= 60:
            return _parts(int(seconds.to_integral_value()))
        # What would be rounded to the next one is told in that.
        name, size = next(((name, size) for name, size in _SHORT
                           if _cut(seconds / size) >= 1 or not seconds),
                          _SHORT[-1])
        return f'{number(seconds / size)} {name}'


def _parts(seconds: int) -> str:
    """seconds: 60 or more."""
    (name, size), (less, least) = next(
        (large, small) for large, small in itertools.pairwise(_LONG)
        # To the nearest of the smaller part, and so perhaps to a whole one.
        if (seconds + small[1] // 2) // small[1] * small[1] >= large[1])
    count, rest = divmod((seconds + least // 2) // least, size // least)
    return f'{count:,} {name}' + (f' {rest} {less}' if rest else '')


def _bytes(volume: Decimal, label: str) -> str:
    place = _BYTES.index(label)
    while place < len(_BYTES) - 1 and abs(_cut(volume)) >= _STEP:
        volume, place = volume / _STEP, place + 1
    while place and volume and abs(_cut(volume)) < 1:
        volume, place = volume * _STEP, place - 1
    return f'{number(volume)} {_BYTES[place]}'


def number(value: Decimal) -> str:
    """The number with its thousands apart, and of digits enough."""
    with decimal.localcontext(_WIDE):
        cut = _cut(value) + 0
        whole = cut == cut.to_integral_value()
        return f'{cut:,.0f}' if whole else f'{cut.normalize():,f}'


def _cut(value: Decimal) -> Decimal:
    """Rounded to some digits, but never before the point."""
    places = max(0, _DIGITS - 1 - value.adjusted()) if value else 0
    return value.quantize(Decimal(1).scaleb(-places), context=_WIDE)
