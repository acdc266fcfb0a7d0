# SPDX-License-Identifier: Apache-2.0
"""What should have come and did not, and why."""

from __future__ import annotations

import bisect
from collections import Counter

from moc_meter.truth.accounting import exact
from moc_meter.truth.accounting.question import Cloud, Question
from moc_meter.truth.forms import Instant, Missing, Sample

_Key = tuple[int, tuple[str | None, ...]]
_BY = ('meter', 'resource_id')


def missing(cloud: Cloud, question: Question) -> list[dict[str, object]]:
    """Rows of which something is missing: expected, usable, and reasons.

    What came in a kind or unit that its meter does not have is expected and
    no use to accounts: reason 'mismatch'. In memory: a count for each meter,
    resource, project, reason and period.
    """
    borders, by = question.borders(), question.by or _BY
    usable: Counter[_Key] = Counter()
    lacking: Counter[tuple[_Key, str]] = Counter()

    def key(one: Sample | Missing) -> _Key | None:
        if question.meters and one.meter not in question.meters:
            return None
        place = _place(borders, one.timestamp)
        return None if place is None else (
            place, tuple(getattr(one, name) for name in by))

    for sample in cloud.samples():
        if (row := key(sample)) is None:
            continue
        meter = cloud.facts.meters.get(sample.meter)
        if meter and (sample.kind, sample.unit) == (meter.kind, meter.unit):
            usable[row] += 1
        else:
            lacking[row, 'mismatch'] += 1
    for one in cloud.missing():
        if (row := key(one)) is not None:
            lacking[row, one.reason] += 1
    return _rows(borders, by, usable, lacking)


def _place(borders: list[Instant], at: Instant) -> int | None:
    inside = borders[0] <= at < borders[-1]
    return bisect.bisect_right(borders, at) - 1 if inside else None


def _rows(borders: list[Instant], by: tuple[str, ...],
          usable: Counter[_Key], lacking: Counter[tuple[_Key, str]]
          ) -> list[dict[str, object]]:
    reasons: dict[_Key, dict[str, int]] = {}
    for (row, reason), count in sorted(
            lacking.items(), key=lambda item: item[0][1]):
        reasons.setdefault(row, {})[reason] = count
    found: list[dict[str, object]] = []
    for row in sorted(reasons, key=lambda row: (
            row[0], [(one is not None, one or '') for one in row[1]])):
        place, values = row
        gone = sum(reasons[row].values())
        found.append({
            'start': exact.instant_text(borders[place]),
            'end': exact.instant_text(borders[place + 1]),
            **dict(zip(by, values, strict=True)),
            'expected': usable[row] + gone, 'usable': usable[row],
            'missing': gone, 'reasons': reasons[row]})
    return found
