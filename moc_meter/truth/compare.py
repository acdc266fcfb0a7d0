# SPDX-License-Identifier: Apache-2.0
"""How what a service answered differs from what it should have.

A figure that must be exact is an int or a Fraction here, one that must be the
nearest binary double a float; what a service said is read with every digit,
as Decimal.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from moc_meter.truth import instants

#: What tells the entries of a list apart.
Identity = tuple[object, ...]
Fields = Mapping[str, object]
#: Digits before or behind the point of a number that is read as one.
_LONGEST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One place where an answer is not what it should be.

    where: the row, sample or the like; field: '' where all of it is meant.
    by: what must be added to the truth to have the answer; None where they
        are no numbers or instants.
    """

    where: str
    field: str
    got: object
    want: object
    by: str | None = None

    def __str__(self) -> str:
        place = ' '.join(part for part in (self.where, self.field) if part)
        by = f' (by {self.by})' if self.by else ''
        return f'{place}: got {text(self.got)}, want {text(self.want)}{by}'


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that a list must hold.

    order: its place; entries of equal order may stand in any order.
    accepted: what it may say, one of them.
    """

    identity: Identity
    order: Any
    accepted: Sequence[Fields]


def text(value: object) -> str:
    """A value for people; figures with all their digits."""
    match value:
        case Fraction():
            return decimal_text(value)
        case str():
            return repr(value)
        case Mapping():
            inner = ', '.join(f'{key}: {text(of)}'
                              for key, of in value.items())
            return f'{{{inner}}}'
        case _:
            return 'nothing' if value is None else str(value)


def decimal_text(value: Fraction) -> str:
    """'1.5': a number of finitely many digits, all of them; or a double."""
    power = 0
    while value.denominator != 1 and power < 60:
        value, power = value * 10, power + 1
    if value.denominator != 1:
        near = double(value / 10 ** power)
        return repr(round(value / 10 ** power) if near is None else near)
    digits = f'{abs(value.numerator):0{power + 1}}'
    whole, part = digits[:len(digits) - power], digits[len(digits) - power:]
    return ('-' if value < 0 else '') + whole + (f'.{part}' if part else '')


def same(got: object, want: object) -> bool:
    """Whether it is the value, or, for a float, the nearest double."""
    match want:
        case bool():
            return got is want
        case int() | Fraction() | float():
            number = as_number(got)
            if number is None:
                return False
            return (double(number) if isinstance(want, float)
                    else number) == want
        case Mapping():
            return isinstance(got, Mapping) and not list(
                _unlike('', got, want, closed=True))
        case _:
            return got == want


def fields(where: str, got: object, accepted: Sequence[Fields]
           ) -> list[Difference]:
    """How something differs from the likest of what it may be."""
    if not isinstance(got, Mapping):
        return [Difference(where=where, field='', got=got,
                           want='a JSON object')]
    return min((list(_unlike(where, got, want)) for want in accepted),
               key=len)


def _unlike(where: str, got: Mapping[str, object], want: Fields, *,
            closed: bool = False) -> Iterator[Difference]:
    """closed: whether there must be nothing else."""
    names = [*want, *(name for name in got if name not in want)
             ] if closed else want
    for name in names:
        one, other = got.get(name), want.get(name)
        if isinstance(other, Mapping) and isinstance(one, Mapping):
            yield from _unlike(f'{where} {name}'.strip(), one, other,
                               closed=True)
        elif not same(one, other):
            yield Difference(where=where, field=name, got=one, want=other,
                             by=_distance(one, other))


def _distance(got: object, want: object) -> str | None:
    number, wanted = as_number(got), as_number(want)
    if number is not None and wanted is not None:
        return decimal_text(number - wanted)
    at, wanted_at = instants.read(got), instants.read(want)
    if at is None or wanted_at is None:
        return None
    return instants.show_length(at - wanted_at)


def as_number(value: object) -> Fraction | None:
    """What a service said, or should; None where that is no number.

    Nor is one with so many digits that it would fill the memory.
    """
    if isinstance(value, bool) or not isinstance(
            value, int | float | Decimal | Fraction):
        return None
    if isinstance(value, Decimal) and max(
            abs(value.adjusted()), len(value.as_tuple().digits)) > _LONGEST:
        return None
    if isinstance(value, int) and abs(value) >= 10 ** _LONGEST:
        return None
    return Fraction(value)


def double(number: Fraction) -> float | None:
    """The nearest double; None where it is beyond all of them."""
    try:
        return float(number)
    except OverflowError:
        return None


def lists(got: object, entries: Sequence[Entry], limit: int | None,
          identify: Callable[[Fields], Identity]) -> list[Difference]:
    """How a list differs from what it should hold.

    entries: in order; where there is a limit, at least those that it leaves
        and all that are equal in order to the last of these.
    """
    if not isinstance(got, list):
        return [Difference(where='answer', field='', got=got,
                           want='a JSON list')]
    wanted = {entry.identity: entry for entry in entries}
    found: Counter[Identity] = Counter()
    differences, orders = [], []
    for item in got:
        identity = identify(item)
        found[identity] += 1
        if (entry := wanted.get(identity)) is None:
            differences.append(_extra(identity, item))
            continue
        orders.append(entry.order)
        differences += fields(_shown(identity), item, entry.accepted)
    differences += [
        Difference(where=_shown(identity), field='', got=f'{times} times',
                   want='once')
        for identity, times in found.items() if times > 1]
    return [*differences, *_absent(entries, found, limit),
            *_disorder(orders)]


def _extra(identity: Identity, item: object) -> Difference:
    return Difference(where=_shown(identity), field='', got=item, want=None)


def _absent(entries: Sequence[Entry], found: Counter[Identity],
            limit: int | None) -> Iterator[Difference]:
    kept = entries if limit is None else entries[:limit]
    must = [entry for entry in kept
            if limit is None or len(entries) <= limit
            or entry.order != kept[-1].order]
    for entry in must:
        if entry.identity not in found:
            yield Difference(where=_shown(entry.identity), field='',
                             got=None, want=entry.accepted[0])
    if limit is not None and found.total() != len(kept):
        yield Difference(where='answer', field='length',
                         got=found.total(), want=len(kept),
                         by=str(found.total() - len(kept)))


def _disorder(orders: Sequence[Any]) -> Iterator[Difference]:
    for place, (one, other) in enumerate(itertools.pairwise(orders)):
        if other < one:
            yield Difference(
                where='answer', field='order',
                got=f'number {place + 2} behind what belongs after it',
                want='the documented order')
            return


def said(item: object, name: str) -> str | None:
    """The text that a service gave by this name; None where it is none."""
    value = item.get(name) if isinstance(item, Mapping) else None
    return value if isinstance(value, str) else None


def _shown(identity: Identity) -> str:
    return ' '.join(str(part) for part in identity if part not in (None, ''))
