# SPDX-License-Identifier: Apache-2.0
"""Usage of a made-up cloud as its accounts define it.

A question is a text: '/truth/usage/vcpus?by=project_id&period=day', or
'/truth/existence?…', '/truth/active?…', '/truth/missing?…'; an answer is a
list of rows that are JSON as they stand, quantities being decimal text.

In memory at once: of the samples of the meter that is asked for their
instants, ids and volumes; of every resource the changes of its project, its
user, and the metadata asked for; and the rows. Samples of other meters only
pass by.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from moc_meter.truth.accounting import existence
from moc_meter.truth.accounting.amounts import counter, deltas, lost_rate
from moc_meter.truth.accounting.cells import Series
from moc_meter.truth.accounting.gauges import gauge
from moc_meter.truth.accounting.history import History
from moc_meter.truth.accounting.missing import missing
from moc_meter.truth.accounting.points import Point, ordered, point, unshadowed
from moc_meter.truth.accounting.question import Cloud, Question, parse
from moc_meter.truth.accounting.rows import Row, Table
from moc_meter.truth.accounting.segments import (
    Segment,
    spread,
    uncovered,
    union,
    unknown,
)
from moc_meter.truth.forms import Instant, Interval, Life, Meter


def answer(cloud: Cloud, text: str) -> list[Row]:
    """The rows that answer a question.

    Raises ValueError where the text is no question, with what is allowed.
    """
    question = parse(cloud, text)
    if question.subject == 'missing':
        return missing(cloud, question)
    table = Table(question, cloud.facts)
    if question.meter is None:
        for series in existence.durations(cloud, question):
            table.take(series)
        return table.rows('s')
    for series in _metered(cloud, question, question.meter):
        table.take(series)
    return table.rows(usage_unit(question.meter))


def usage_unit(meter: Meter) -> str:
    """The unit of what accounts make of a meter."""
    return f'{meter.unit}·s' if meter.kind == 'gauge' else meter.unit


@dataclass(slots=True)
class _Seen:
    """What was seen of one resource."""

    history: History
    points: list[Point] = field(default_factory=list)
    mismatched: list[Instant] = field(default_factory=list)
    other: bool = True              # nothing of the meter that is asked for


def _metered(cloud: Cloud, question: Question,
             meter: Meter) -> Iterator[Series]:
    """Every resource that the meter applies to: that it was seen of, and
    those of the same types.
    """
    seen = _seen(cloud, question, meter)
    types = {life.type for life in cloud.lives()
             if life.resource_id in seen
             and not seen[life.resource_id].other}
    for life in cloud.lives():
        one = seen.pop(life.resource_id, None)
        if life.type in types:
            one = one or _Seen(existence.recalled(life, question))
            yield _series(life.resource_id, one, life, meter, cloud.end)
    for name, one in seen.items():
        if not one.other:
            yield _series(name, one, None, meter, cloud.end)


def _seen(cloud: Cloud, question: Question,
          meter: Meter) -> dict[str, _Seen]:
    """One pass over all samples: attributes are told by those of any meter.
    """
    names = existence.names(question)
    seen: dict[str, _Seen] = {}
    for sample in cloud.samples():
        one = seen.get(sample.resource_id)
        if one is None:
            one = seen[sample.resource_id] = _Seen(History(names))
        one.history.report(sample)
        if sample.meter != meter.name:
            continue
        one.other = False
        if (sample.kind, sample.unit) == (meter.kind, meter.unit):
            one.points.append(point(sample))
        else:
            one.mismatched.append(sample.timestamp)
    return seen


def _series(name: str, seen: _Seen, life: Life | None, meter: Meter,
            end: Instant) -> Series:
    points = ordered(seen.points)
    instants = [one.at for one in points] or seen.mismatched
    created = life.created if life else None
    begin, stop = (existence.existence(life, end) if life
                   else (min(instants), max(end, min(instants))))
    return series(name, points, meter, (begin, stop), created=created,
                  kind=life.type if life else None, history=seen.history,
                  mismatched=seen.mismatched)


def series(name: str, points: Iterable[Point], meter: Meter,
           expected: Interval, *, created: Instant | None, kind: str | None,
           history: History, mismatched: Iterable[Instant] = ()) -> Series:
    """Usage of one resource.

    points: in any order; expected: [c, d) up to the cut-off, where c is the
        first sample's instant if nobody knows when the resource began;
    created: that instant, where it is known; kind: of resource.
    """
    points = ordered(points)
    segments = list(segments_of(points, meter, expected, created))
    known = [(one.start, one.known) for one in segments]
    if meter.kind in ('delta', 'event') and meter.cadence is None:
        known = [expected]          # silence says that nothing happened
    else:
        lost = _lost(segments, meter, expected)
        segments += lost
    return Series(
        resource_id=name, type=kind, history=history, expected=expected,
        segments=segments, known=_within(expected, known),
        estimated=_within(expected, [
            (one.known, one.held) for one in segments]),
        samples=[one.at for one in points], mismatched=sorted(mismatched))


def segments_of(points: list[Point], meter: Meter, expected: Interval,
                created: Instant | None) -> Iterator[Segment]:
    """Segments of a resource's samples; in order; of none, nothing."""
    if not points:
        return iter(())
    if meter.kind == 'gauge':
        return gauge(unshadowed(points), meter, expected)
    if meter.kind == 'cumulative':
        return counter(unshadowed(points), meter, created)
    if meter.kind == 'event':
        return (spread(None, one.at, one.volume) for one in points)
    return deltas(points, created)


def _lost(segments: Iterable[Segment], meter: Meter,
          expected: Interval) -> list[Segment]:
    """Stretches that no sample says anything about."""
    above: Fraction | None = None
    if meter.kind == 'cumulative':
        above = lost_rate(meter)
    covered = [(one.start, one.end) for one in segments]
    return [unknown(start, end, above)
            for start, end in uncovered(expected, covered)]


def _within(whole: Interval, intervals: Iterable[Interval]
            ) -> list[Interval]:
    return union((max(start, whole[0]), min(end, whole[1]))
                 for start, end in intervals)
