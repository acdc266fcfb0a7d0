# SPDX-License-Identifier: Apache-2.0
"""What holds of any usage, whatever its samples are."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from moc_meter.tests.unit.truth.accounting.clouds import (
    Cloud,
    at,
    life,
    sample,
    share,
    units,
)
from moc_meter.truth import instants
from moc_meter.truth.accounting import points, segments
from moc_meter.truth.accounting.cells import Cell, Series, cut
from moc_meter.truth.accounting.history import History
from moc_meter.truth.forms import SECOND, UNIT, Instant, Meter, Sample
from moc_meter.truth.usage import segments_of, series

START, END = at('2026-03-07'), at('2026-03-10')
LONG_AGO, LATER = '2026-03-06T20:00', '2026-03-10T03:00'
#: A little before and beyond, and often on a border.
INSTANTS = st.one_of(
    st.integers(START - 3600 * SECOND, END + 3600 * SECOND),
    st.integers(-1, 73).map(lambda hour: START + hour * 3600 * SECOND))
CUTS = st.lists(INSTANTS, max_size=8)
GAP = st.none() | st.integers(1, 40).map(lambda hours: hours * 3600 * SECOND)
GAUGES = st.builds(
    Meter, name=st.just('vcpus'), kind=st.just('gauge'), unit=st.just('vcpu'),
    cadence=st.none() | st.just(3600 * SECOND), max_gap=GAP,
    gap_policy=st.sampled_from(['unknown', 'bridge', 'hold', 'zero']),
    interpolation=st.sampled_from(['step', 'linear']))
OTHERS = st.builds(
    Meter, name=st.just('vcpus'), unit=st.just('vcpu'), max_gap=GAP,
    kind=st.sampled_from(['delta', 'cumulative', 'event']),
    cadence=st.none() | st.just(3600 * SECOND),
    modulus=st.none() | st.just(10 ** 12),
    max_rate=st.none() | st.just(10 ** 8), starts_at_zero=st.booleans())
METERS = GAUGES | OTHERS
VOLUMES = st.sampled_from([0, 1, 3, UNIT]) | st.integers(0, 10 ** 12)


@st.composite
def samples(draw: st.DrawFn, meter: Meter) -> list[Sample]:
    """Of two resources, two projects; in order of time."""
    found = []
    for number, when in enumerate(draw(st.lists(INSTANTS, max_size=8))):
        bounds = sorted(draw(st.tuples(INSTANTS, INSTANTS)))
        stated = meter.kind == 'delta' and draw(st.booleans())
        found.append(sample(
            when, 0, meter, resource=draw(st.sampled_from('ab')),
            message_id=f'm-{number}',
            project=draw(st.sampled_from(['p-1', 'p-2'])),
            interval=(bounds[0], bounds[1]) if stated else None,
            counter_start=draw(st.none() | INSTANTS),
            )._replace(volume=draw(VOLUMES)))
    return sorted(found, key=lambda one: one.timestamp)


@st.composite
def clouds(draw: st.DrawFn) -> Cloud:
    meter = draw(METERS)
    return Cloud(
        start=START, end=END, meter=meter, made=draw(samples(meter)),
        zone=draw(st.sampled_from(['UTC', 'America/New_York'])),
        lived=[life('2026-03-07 05:00', '2026-03-09 03:07', resource='a')],
        shares=[share('A', '0.33'), share('B', '0.33', until='2026-03-08'),
                share('B', '0.5', '2026-03-08'),
                share('C', '0.1', project='p-2')])


def one_series(meter: Meter, made: Sequence[Sample]) -> Series:
    return series('a', map(points.point, made), meter, (START, END),
                  created=START, kind=None, history=History(()))


FIGURES: Sequence[Callable[[Cell], int | None]] = [
    lambda cell: cell.quantity, lambda cell: cell.lower,
    lambda cell: cell.upper, lambda cell: cell.known,
    lambda cell: cell.estimated, lambda cell: cell.expected,
    lambda cell: cell.samples]


def total(cells: Sequence[Cell]) -> list[int | None]:
    values = [[figure(cell) for cell in cells] for figure in FIGURES]
    return [None if None in one else sum(part or 0 for part in one)
            for one in values]


@given(st.data(), METERS, CUTS)
@settings(max_examples=60, deadline=None)
def test_pieces_add_up_to_the_whole_whatever_the_cuts(
        data: st.DataObject, meter: Meter, cuts: list[Instant]) -> None:
    """Invariant 1."""
    whole = one_series(meter, data.draw(samples(meter)))
    ends = at(LONG_AGO), at(LATER)
    [uncut] = cut(whole, ends)
    assert total(cut(whole, sorted({*ends, *cuts}))) == total([uncut])


@given(clouds())
@settings(max_examples=40, deadline=None)
def test_hours_days_weeks_and_groups_add_up(asked: Cloud) -> None:
    """Invariant 2."""
    [whole] = asked.quantities()
    for by in ('period=hour', 'period=day', 'period=week', 'period=month',
               'by=project_id', 'by=resource_id&period=day',
               'by=institution', 'by=institution&by=user_id&period=hour',
               'by=institution&basis=affiliation'):
        assert sum(map(units, asked.quantities(f'?{by}'))) == units(whole), by


@given(clouds())
@settings(max_examples=40, deadline=None)
def test_institutions_add_up_to_their_project(asked: Cloud) -> None:
    """Invariant 2; and their hours and days to the window."""
    projects = {row['project_id']: units(row['quantity'])
                for row in asked.ask('?by=project_id')}
    whole = asked.ask('?by=project_id&by=institution')
    for project, quantity in projects.items():
        assert quantity == sum(units(row['quantity']) for row in whole
                               if row['project_id'] == project)
    for period in ('hour', 'day'):
        parts: dict[tuple[object, object], int] = {}
        for row in asked.ask(
                f'?by=project_id&by=institution&period={period}'):
            names = row['project_id'], row['institution']
            parts[names] = parts.get(names, 0) + units(row['quantity'])
        assert parts == {
            (row['project_id'], row['institution']): units(row['quantity'])
            for row in whole}


@given(clouds(), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_the_order_of_arrival_does_not_matter(
        asked: Cloud, chance: random.Random) -> None:
    """Invariant 3: of those of one instant; a series in any order."""
    question = '?by=project_id&by=resource_id&period=day'
    before = asked.ask(question)
    shuffled = list(asked.made)
    chance.shuffle(shuffled)
    asked.made = sorted(shuffled, key=lambda one: one.timestamp)
    assert asked.ask(question) == before
    assert one_series(asked.meter, shuffled).segments == one_series(
        asked.meter, asked.made).segments


@given(clouds(), INSTANTS)
@settings(max_examples=40, deadline=None)
def test_adjacent_windows_neither_overlap_nor_leave_a_hole(
        asked: Cloud, border: Instant) -> None:
    """Invariant 8."""
    [whole] = asked.ask(f'?start={LONG_AGO}&end={LATER}')
    middle = instants.show(border)
    pair = [*asked.ask(f'?start={LONG_AGO}&end={middle}'),
            *asked.ask(f'?start={middle}&end={LATER}')]
    for name in ('quantity', 'lower', 'known', 'estimated', 'expected'):
        assert units(whole[name]) == sum(units(row[name]) for row in pair)
    assert whole['samples'] == sum(int(str(row['samples'])) for row in pair)


@given(clouds())
@settings(max_examples=40, deadline=None)
def test_another_zone_moves_days_and_no_totals(asked: Cloud) -> None:
    """Invariant 10."""
    totals = [sum(map(units, asked.quantities(f'?period=day&zone={zone}')))
              for zone in ('UTC', 'America/New_York', 'Asia/Kolkata')]
    assert len(set(totals)) == 1


@given(st.data(), OTHERS)
@settings(max_examples=60, deadline=None)
def test_no_increment_is_negative(data: st.DataObject, meter: Meter) -> None:
    """Invariant 11."""
    counter = replace(meter, kind='cumulative')
    found = points.unshadowed(map(
        points.point, data.draw(samples(counter))))
    assert all(one.level >= 0 and one.amount >= 0 for one in segments_of(
        found, counter, (START, END), START))


@given(st.data(), GAUGES, st.integers(START, END - 1), VOLUMES)
@settings(max_examples=60, deadline=None)
def test_another_sample_never_lowers_what_is_known(
        data: st.DataObject, meter: Meter, when: Instant, volume: int
        ) -> None:
    """Invariant 9: of a gauge, whose samples are expected at any time."""
    made = data.draw(samples(meter))
    more = sample(when, 0, meter, message_id='x')._replace(volume=volume)
    borders = range(START, END + 1, 3600 * SECOND)
    for before, after in zip(cut(one_series(meter, made), borders),
                             cut(one_series(meter, [*made, more]), borders),
                             strict=True):
        assert before.known <= after.known <= after.expected


@given(clouds(), st.sampled_from(['', '?period=hour', '?by=project_id']))
@settings(max_examples=60, deadline=None)
def test_a_quantity_lies_within_its_bounds(asked: Cloud, how: str) -> None:
    """Invariant 9."""
    for row in asked.ask(how):
        assert units(row['lower']) <= units(row['quantity'])
        if row['upper'] is not None:
            assert units(row['quantity']) <= units(row['upper'])


@given(st.data(), GAUGES)
@settings(max_examples=60, deadline=None)
def test_levels_below_zero_lie_within_their_bounds_too(
        data: st.DataObject, meter: Meter) -> None:
    """Invariant 9."""
    made = [one._replace(volume=one.volume - UNIT)
            for one in data.draw(samples(meter))]
    for cell in cut(one_series(meter, made),
                    range(START, END + 1, 1800 * SECOND)):
        assert cell.lower <= cell.quantity
        assert cell.upper is None or cell.quantity <= cell.upper


@given(clouds())
@settings(max_examples=30, deadline=None)
def test_what_is_known_and_estimated_is_within_what_is_expected(
        asked: Cloud) -> None:
    for row in asked.ask('?by=resource_id&period=hour'):
        assert units(row['known']) + units(row['estimated']) <= units(
            row['expected'])


@given(st.lists(st.tuples(INSTANTS, INSTANTS), max_size=6))
@settings(max_examples=60, deadline=None)
def test_what_intervals_cover_and_what_they_leave_is_the_whole(
        intervals: list[tuple[Instant, Instant]]) -> None:
    covered = [(max(a, START), min(b, END)) for a, b in segments.union(
        intervals)]
    left = segments.uncovered((START, END), intervals)
    assert sum(b - a for a, b in [*covered, *left] if a < b) == END - START
    for (_, end), (start, _) in itertools.pairwise(sorted(
            [(a, b) for a, b in [*covered, *left] if a < b])):
        assert end == start
