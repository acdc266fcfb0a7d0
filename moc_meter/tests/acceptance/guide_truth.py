# SPDX-License-Identifier: Apache-2.0
"""What the answers of the user guide must be, from the samples alone.

Each takes all samples of the demonstration in order of time, and gives the
rows of its question: figures are exact fractions or nearest doubles, instants
microseconds.
"""

from __future__ import annotations

import datetime
import zoneinfo
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from moc_meter.truth import answers, calendar, instants, metadata
from moc_meter.truth.forms import SECOND, UNIT, Instant, Sample
from moc_meter.truth.questions import parse

Row = Mapping[str, Any]
_MACHINE = '14336a56-8615-02d1-28a5-10c2ccb5239c'
_NEW_YORK = zoneinfo.ZoneInfo('America/New_York')
#: Nanoseconds of an hour.
_HOUR = 3600 * 10 ** 9


def _api(samples: Sequence[Sample], path: str) -> list[Any]:
    """What the API must answer to a question of its own."""
    [answer] = answers.answer([parse(path)], samples)
    found: Any = answer.shown()
    return list(found)


def _at(text: str, zone: datetime.tzinfo = datetime.UTC) -> Instant:
    return calendar.instant(
        datetime.datetime.fromisoformat(text).replace(tzinfo=zone))


def _range(field: str, *bounds: str) -> str:
    return '&'.join(f'q.field={field}&q.op={op}&q.value={bound}'
                    for op, bound in zip(('ge', 'lt'), bounds, strict=True))


def _increases(samples: Iterable[Sample]
               ) -> Iterator[tuple[Sample, int]]:
    """What each reading of a counter adds to the one before it."""
    before: dict[str, int] = {}
    for one in samples:
        last = before.get(one.resource_id, one.volume)
        yield one, (one.volume - last if one.volume >= last else one.volume)
        before[one.resource_id] = one.volume


def _projects(samples: Sequence[Sample]) -> list[Row]:
    return [{'id': name} for name in sorted(
        {one.project_id for one in samples if one.project_id})]


def _meters(samples: Sequence[Sample]) -> list[Row]:
    return _api(samples, '/v2/meters?q.field=project&q.value=genomics'
                         '&unique=True')


def _cpu_hours(samples: Sequence[Sample]) -> list[Row]:
    edges = [_at(f'2025-{day}', _NEW_YORK) for day in (
        '03-01', '03-03', '03-10', '03-17', '03-24', '03-31', '04-01')]
    found = dict.fromkeys(edges[:-1], 0)
    for one, amount in _increases(
            one for one in samples
            if (one.meter, one.project_id) == ('cpu', 'genomics')):
        if edges[0] <= one.timestamp < edges[-1]:
            found[max(edge for edge in found if edge <= one.timestamp)
                  ] += amount
    return [{'period_start': start, 'increase': Fraction(
        round(Fraction(amount, _HOUR)), UNIT)}
        for start, amount in found.items()]


def _longest(samples: Sequence[Sample]) -> list[Row]:
    start, end = _at('2025-06-10'), _at('2025-06-11')
    ran: dict[str, int] = defaultdict(int)
    read: dict[str, list[Instant]] = defaultdict(list)
    for one, amount in _increases(one for one in samples
                                  if one.meter == 'cpu'):
        if start <= one.timestamp < end:
            ran[one.resource_id] += amount
            read[one.resource_id].append(one.timestamp)
    return [{'resource_id': name, 'increase': Fraction(ran[name], UNIT),
             'duration': Fraction(max(read[name]) - min(read[name]), SECOND)}
            for name in sorted(ran, key=lambda name: -ran[name])]


def _silent(samples: Sequence[Sample]) -> list[Row]:
    newest = {one.resource_id: one for one in samples}
    return [{'resource_id': name, 'project_id': one.project_id,
             'last_sample_timestamp': one.timestamp}
            for name, one in sorted(newest.items())
            if _at('2025-12-15') <= one.timestamp < _at('2025-12-22')]


def _statistics(samples: Sequence[Sample], meter: str, query: str
                ) -> list[Row]:
    """The rows, with groups and aggregates as columns."""
    return [{**row, **(row['groupby'] or {}), **(row['aggregate'] or {}),
             'period_start': instants.parse(row['period_start'])}
            for row in _api(samples, f'/v2/meters/{meter}/statistics?{query}')]


def _volumes(samples: Sequence[Sample]) -> list[Row]:
    return _statistics(
        samples, 'volume.size', _range('timestamp', '2025-06-01', '2025-07-01')
        + '&q.field=metadata.volume_type&q.op=eq&q.value=ssd'
        '&groupby=project_id&aggregate.func=cardinality'
        '&aggregate.param=resource_id&aggregate.func=max')


def _noon(samples: Sequence[Sample]) -> list[Row]:
    return [{'cardinality/resource_id': len({
        one.resource_id for one in samples if one.meter == 'memory.usage'
        and one.timestamp == _at('2025-06-10T12:00')})}]


def _memory(samples: Sequence[Sample]) -> list[Row]:
    return _statistics(
        samples, 'memory.usage', _range('timestamp', '2025-03-01',
                                        '2025-04-01')
        + '&q.field=project&q.op=eq&q.value=speech')


def _machine(samples: Sequence[Sample]) -> list[Row]:
    then = _at('2025-03-08T12:00', _NEW_YORK)
    newest = [one for one in samples if one.resource_id == _MACHINE
              and one.timestamp <= then][-1]
    return [{'project_id': newest.project_id, 'user_id': newest.user_id,
             'metadata': metadata.flattened(newest.metadata)}]


def _newest(samples: Sequence[Sample]) -> list[Row]:
    return [{**row, 'timestamp': instants.parse(row['timestamp'])}
            for row in _api(samples, '/v2/samples?limit=3' + ''.join(
                f'&q.field={field}&q.value={value}' for field, value in (
                    ('meter', 'volume.size'), ('project', 'genomics'),
                    ('metadata.volume_type', 'ssd'))))]


def _year(samples: Sequence[Sample]) -> list[Row]:
    found: dict[Instant, int] = defaultdict(int)
    for one in samples:
        if one.meter == 'web.requests':
            month = calendar.moment(one.timestamp).strftime('%Y-%m-01')
            found[_at(month)] += one.volume
    return [{'period_start': start, 'sum': Fraction(amount, UNIT)}
            for start, amount in sorted(found.items())]


#: By a word of the question.
TRUTHS: Mapping[str, Callable[[Sequence[Sample]], list[Row]]] = {
    'Which projects': _projects, 'What is measured': _meters,
    'CPU hours': _cpu_hours, 'ran longest': _longest,
    'said nothing': _silent, 'type of volumes': _volumes,
    'at noon': _noon, 'How much memory': _memory,
    'a machine like': _machine, 'newest samples': _newest,
    'a year look': _year}


def rows(question: str, samples: Sequence[Sample]) -> list[Row]:
    """The truth of a question of the guide."""
    [truth] = (truth for words, truth in TRUTHS.items() if words in question)
    return truth(samples)
