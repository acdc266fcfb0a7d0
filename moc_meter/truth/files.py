# SPDX-License-Identifier: Apache-2.0
"""A world as files: samples as `sample load` reads them, and what is known.

Ten million lines are written here, so what many lines share is made once.
"""

from __future__ import annotations

import datetime
import functools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from fractions import Fraction
from itertools import islice
from typing import TextIO

from moc_meter.truth.calendar import moment
from moc_meter.truth.course import Described
from moc_meter.truth.forms import UNIT, Instant, Sample
from moc_meter.truth.seed import mixed
from moc_meter.truth.world import World

#: Of what the generator makes of a seed; raised when that changes.
VERSION = 2

Progress = Callable[[int], None]

_BLOCK = 2000       # lines that are written at once
#: Minutes from UTC that timestamps are written with; None: without a zone.
_OFFSETS = (None, None, None, None, 0, 120, -330, 630)


def write_samples(world: World, file: TextIO, progress: Progress,
                  order: str | None = None) -> int:
    """All samples as JSON lines; how many lines.

    progress: told how many lines there are so far.
    order: as they arrive, with doubles; None: once each, in order of time.
    """
    samples = world.delivered(order) if order else world.samples()
    return _written(lines(samples), file, progress)


def write_notifications(world: World, file: TextIO,
                        progress: Progress) -> int:
    """All notifications as `notification replay` takes them, as above."""
    return _written((_json(one.message) + '\n'
                     for one in world.notifications()), file, progress)


def write_readings(world: World, file: TextIO, progress: Progress) -> int:
    """All that pollers see, an object by tick and guest, as above."""
    return _written((_json(reading._asdict()) + '\n'
                     for reading in world.readings()), file, progress)


def _written(lines_: Iterator[str], file: TextIO, progress: Progress) -> int:
    count = 0
    while block := list(islice(lines_, _BLOCK)):
        file.write(''.join(block))
        count += len(block)
        progress(count)
    return count


def lines(samples: Iterable[Sample]) -> Iterator[str]:
    """A line of JSON of each, in the names of the v2 API.

    A volume is a number with all its digits; where it is written with an
    offset from UTC, a timestamp is the same instant. Those names know no
    interval, start of a counter or sequence: only the bus carries these.
    """
    last: Instant | None = None
    stamp = ''
    for sample in samples:
        name, metadata = sample.message_id, sample.metadata
        if sample.timestamp != last:
            last = sample.timestamp
            stamp = written(last)
        whole, rest = divmod(sample.volume, UNIT)
        figure = str(whole) if not rest else decimal(sample.volume)
        series = _series(sample.source, sample.meter, sample.kind,
                         sample.unit)
        whose = _whose(sample.resource_id, sample.project_id,
                       sample.user_id)
        if not name.isalnum():
            name = _text(name)[1:-1]
        described = (metadata.text if type(metadata) is Described
                     else _json(metadata))
        yield (f'{{"message_id":"{name}",{series},'
               f'"counter_volume":{figure},{whose},"timestamp":"{stamp}",'
               f'"resource_metadata":{described}}}\n')


def decimal(volume: int) -> str:
    """A volume in units of 10**-9 as a number with all its digits."""
    whole, rest = divmod(abs(volume), UNIT)
    sign = '-' if volume < 0 else ''
    return f'{sign}{whole}.{rest:09}'.rstrip('0').rstrip('.')


def written(timestamp: Instant) -> str:
    """An instant in one of the spellings of ISO 8601 that there are."""
    at = moment(timestamp)
    bits = mixed(timestamp)
    minutes = _OFFSETS[bits % len(_OFFSETS)]
    if minutes is None:
        bare = at.replace(tzinfo=None).isoformat()
        return f'{bare}Z' if bits >> 8 & 1 else bare
    return at.astimezone(datetime.timezone(
        datetime.timedelta(minutes=minutes))).isoformat()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(',', ':'))


_text = functools.lru_cache(2 ** 12)(_json)


@functools.lru_cache(2 ** 12)
def _series(source: str, meter: str, kind: str, unit: str) -> str:
    return (f'"source":{_json(source)},"counter_name":{_json(meter)},'
            f'"counter_type":"{kind}","counter_unit":{_json(unit)}')


@functools.lru_cache(2 ** 15)
def _whose(resource: str, project: str | None, user: str | None) -> str:
    return (f'"resource_id":{_json(resource)},'
            f'"project_id":{_json(project)},"user_id":{_json(user)}')


def write_world(world: World, counts: Mapping[str, int],
                file: TextIO) -> None:
    """What a world is made of, and what holds of it as a whole.

    counts: what was written of it: lines by the name of the file.
    """
    json.dump({'version': VERSION, 'seed': world.seed, 'scale': world.scale,
               'decimals': world.decimals, 'source': world.source,
               'zone': world.zone, 'start': moment(world.start).isoformat(),
               'end': moment(world.end).isoformat(), 'counts': dict(counts),
               'facts': asdict(world.facts)},
              file, ensure_ascii=False, indent=1, default=_fraction)
    file.write('\n')


def _fraction(value: object) -> str:
    if isinstance(value, Fraction):
        return str(value)
    raise TypeError(f'not JSON: {value!r}')
