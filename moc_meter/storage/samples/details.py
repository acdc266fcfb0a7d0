# SPDX-License-Identifier: Apache-2.0
"""What few samples say, in one column, so that the rows of most are short.

A short text: ``c`` with the start of a counter, ``i`` with an interval as
start/end, ``s`` with a sequence, ``r`` where the volume was rounded; in this
order, one blank between, instants in microseconds since 1970. So equal
details are equal texts, and a sample without any has null.
"""

from __future__ import annotations

import datetime
from typing import TypedDict

from moc_meter.model import period
from moc_meter.model.sample import Sample

#: Of the longest: years of four digits, a sequence of 63 bits.
LENGTH = 81


class Details(TypedDict, total=False):
    """As a Sample takes them; what is missing it did not say."""

    counter_start: datetime.datetime
    interval: tuple[datetime.datetime, datetime.datetime]
    sequence: int
    rounded: bool


def pack(one: Sample) -> str | None:
    said = []
    if one.counter_start:
        said.append(f'c{period.microseconds(one.counter_start)}')
    if one.interval:
        start, end = map(period.microseconds, one.interval)
        said.append(f'i{start}/{end}')
    if one.sequence is not None:
        said.append(f's{one.sequence}')
    if one.rounded:
        said.append('r')
    return ' '.join(said) or None


def unpack(kept: str | None) -> Details:
    """Raises ValueError where the text is none of pack()'s."""
    found = Details()
    for said in kept.split(' ') if kept else ():
        match said[:1]:
            case 'c':
                found['counter_start'] = period.instant(int(said[1:]))
            case 'i':
                start, end = map(int, said[1:].split('/'))
                found['interval'] = period.instant(start), period.instant(end)
            case 's':
                found['sequence'] = int(said[1:])
            case 'r':
                found['rounded'] = True
            case _:
                raise ValueError(f'no details of a sample: {kept}')
    return found
