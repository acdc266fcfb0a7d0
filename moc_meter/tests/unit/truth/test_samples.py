# SPDX-License-Identifier: Apache-2.0
"""Samples of a made-up cloud, and what is missing among them."""

from __future__ import annotations

import bisect
import itertools
from collections import defaultdict
from collections.abc import Iterator

from moc_meter.truth import calendar
from moc_meter.truth.course import Course
from moc_meter.truth.forms import (
    SECOND,
    UNIT,
    Holder,
    Life,
    Missing,
    Sample,
)
from moc_meter.truth.meters import MODULUS
from moc_meter.truth.said import DYADIC
from moc_meter.truth.world import World


def test_samples_are_in_order_of_time_and_within_the_world(
        worlds: list[World], samples: dict[int, list[Sample]]) -> None:
    for world in worlds:
        times = [sample.timestamp for sample in samples[world.seed]]
        assert times == sorted(times)
        assert world.start <= times[0] <= times[-1] <= world.end


def test_no_id_comes_twice(samples: dict[int, list[Sample]]) -> None:
    for found in samples.values():
        assert len({sample.message_id for sample in found}) == len(found)


def test_a_small_world_has_some_hundred_samples(
        samples: dict[int, list[Sample]]) -> None:
    assert all(250 < len(found) < 1100 for found in samples.values())


def lives_of(world: World) -> dict[str, Life]:
    return {life.resource_id: life for life in world.lives()}


def holder_at(life: Life, at: int) -> Holder:
    return life.holders[bisect.bisect_right(
        [holder.since for holder in life.holders], at) - 1]


def test_every_sample_lies_in_the_life_of_its_resource(
        worlds: list[World], samples: dict[int, list[Sample]]) -> None:
    """But for those of programs, which have none."""
    for world in worlds:
        lives = lives_of(world)
        for sample in samples[world.seed]:
            if life := lives.get(sample.resource_id):
                end = world.end if life.deleted is None else life.deleted
                assert life.created <= sample.timestamp <= end
                holder = holder_at(life, sample.timestamp)
                assert (sample.project_id, sample.user_id,
                        sample.metadata) == (
                    holder.project_id, holder.user_id, holder.metadata)
            else:
                assert not is_hexadecimal(sample.message_id)


def is_hexadecimal(text: str) -> bool:
    return len(text) == 32 and not set(text) - set('0123456789abcdef')


def test_nothing_is_polled_of_a_guest_that_is_off(
        worlds: list[World], samples: dict[int, list[Sample]]) -> None:
    off = 0
    for world in worlds:
        lives = lives_of(world)
        for life in lives.values():
            off += any(state == 'stopped' for _, state in life.states)
        for sample in samples[world.seed]:
            if sample.meter == 'cpu':
                states = lives[sample.resource_id].states
                place = bisect.bisect_right(
                    [since for since, _ in states], sample.timestamp)
                assert states[place - 1][1] == 'active'
    assert off > 5


def restarts(course: Course) -> list[int]:
    return [event.at for event in course.events if event.restarts]


def counters(world: World, found: list[Sample], meter: str
             ) -> Iterator[tuple[Course, list[Sample]]]:
    """The readings of a counter, from one restart to the next."""
    series = defaultdict(list)
    for sample in found:
        if sample.meter == meter:
            series[sample.resource_id].append(sample)
    for course in world.population.courses():
        of = series.get(course.life.resource_id, [])
        begun = restarts(course)
        runs = defaultdict(list)
        for one in of:
            runs[bisect.bisect_right(begun, one.timestamp)].append(one)
        for run in runs.values():
            yield course, run


def test_a_counter_grows_until_its_guest_starts_again(
        worlds: list[World], samples: dict[int, list[Sample]]) -> None:
    fell = 0
    for world in worlds:
        last: tuple[str, int] = ('', 0)
        for course, stretch in counters(world, samples[world.seed], 'cpu'):
            volumes = [sample.volume for sample in stretch]
            assert volumes == sorted(volumes)
            assert all(volume % (10 ** 7 * UNIT) == 0 for volume in volumes)
            begun = max(at for at in restarts(course)
                        if at <= stretch[0].timestamp)
            seconds = (stretch[0].timestamp - begun) // SECOND
            assert stretch[0].volume <= 16 * seconds * 10 ** 9 * UNIT
            name = course.life.resource_id
            fell += last[0] == name and last[1] > volumes[0]
            last = name, volumes[-1]
    assert fell > 5


def test_some_interfaces_count_in_32_bits(
        worlds: list[World], samples: dict[int, list[Sample]]) -> None:
    wrapping = 0
    for world in worlds:
        meter = world.facts.meters['network.incoming.bytes']
        read = [sample.volume for sample in samples[world.seed]
                if sample.meter == meter.name]
        if meter.modulus:
            wrapping += 1
            assert meter.modulus == MODULUS * UNIT
            assert max(read) < meter.modulus
            assert meter.max_rate
            assert (meter.max_rate * world.frame.scale.step
                    < meter.modulus)
    assert 5 < wrapping < len(worlds)


def key(thing: Sample | Missing) -> tuple[int, str, str]:
    return thing.timestamp, thing.meter, thing.resource_id


def test_what_is_missing_is_not_there_and_everything_else_is(
        worlds: list[World], samples: dict[int, list[Sample]]) -> None:
    reasons, meters = set(), set()
    for world in worlds:
        there = set(map(key, samples[world.seed]))
        missing = list(world.missing())
        assert not there & set(map(key, missing))
        reasons |= {one.reason for one in missing}
        meters |= {one.meter for one in missing}
        ticks = {at for at, _, _ in there | set(map(key, missing))
                 if at % (world.frame.scale.step * SECOND) == 0}
        for life in world.lives():
            if life.type == 'instance':
                expected = {tick for tick in ticks if is_active(life, tick)}
                assert expected == {
                    at for at, meter, name
                    in there | set(map(key, missing))
                    if meter == 'cpu' and name == life.resource_id}
    assert reasons == {'lost', 'silent', 'not produced'}
    assert {'cpu', 'vcpus'} < meters


def is_active(life: Life, at: int) -> bool:
    if not life.created <= at < (life.deleted or at + 1):
        return False
    return [state for since, state in life.states
            if since <= at][-1] == 'active'


def test_samples_lie_on_borders_and_a_microsecond_beside(
        worlds: list[World], samples: dict[int, list[Sample]]) -> None:
    found: dict[int, int] = dict.fromkeys((-1, 0, 1), 0)
    local: dict[int, int] = dict(found)
    for world in worlds:
        if calendar.day_start(calendar.local_day(
                world.start, world.zone), world.zone) % calendar.DAY == 0:
            continue        # its days are those of UTC
        for sample in samples[world.seed]:
            at = sample.timestamp
            start = calendar.day_start(
                calendar.local_day(at + SECOND, world.zone), world.zone)
            for beside in found:
                found[beside] += (at - beside) % calendar.HOUR == 0
                local[beside] += at - beside == start
    assert min(found.values()) > 20
    assert min(local.values()) > 5


def test_samples_of_a_series_may_be_of_one_instant(
        samples: dict[int, list[Sample]]) -> None:
    assert any(len(set(map(key, found))) < len(found)
               for found in samples.values())


def test_names_are_unusual_in_some_worlds(
        worlds: list[World], samples: dict[int, list[Sample]]) -> None:
    names = {sample.resource_id for found in samples.values()
             for sample in found}
    assert any(name != other and name.lower() == other.lower()
               for found in samples.values()
               for name, other in itertools.combinations(
                   {sample.resource_id for sample in found}, 2))
    for odd in 'Größe ', '/a b', 'Ж/', '?&=#', '%2F', '"':
        assert any(odd in name for name in names)
    assert any(name.endswith(' ') for name in names)
    assert {None} < {sample.project_id for sample in samples[0]}
    assert {None} < {sample.user_id for sample in samples[0]}


def test_a_meter_may_have_samples_of_two_units(
        samples: dict[int, list[Sample]]) -> None:
    units = {(sample.meter, sample.unit) for sample in samples[1]}
    assert {('mail.processed', 'mail'), ('mail.processed', 'message')} < units
    assert {'MiB', 'MB'} < {sample.unit for found in samples.values()
                            for sample in found}


def test_dyadic_volumes_are_what_a_double_can_tell_exactly(
        samples: dict[int, list[Sample]]) -> None:
    for seed, found in samples.items():
        exact = [sample.exact == float(sample.exact) for sample in found]
        assert all(exact) is (seed % 2 == 0)


def test_decimal_volumes_go_to_the_limit_of_what_is_admitted(
        samples: dict[int, list[Sample]]) -> None:
    largest = max(sample.volume for found in samples.values()
                  for sample in found)
    assert 10 ** 18 * UNIT < largest < 10 ** 20 * UNIT
    assert any(sample.volume % DYADIC and sample.meter == 'mail.processed'
               for sample in samples[1])


def test_some_programs_say_what_they_counted_in(
        samples: dict[int, list[Sample]]) -> None:
    telling = [found for found in samples.values()
               if any(sample.sequence is not None for sample in found)]
    assert 5 < len(telling) < len(samples) - 5
    for found in telling:
        for sample in found:
            if sample.interval:
                assert sample.kind == 'delta'
                assert sample.interval[1] == sample.timestamp
            if sample.counter_start is not None:
                assert sample.kind == 'cumulative'
                assert sample.counter_start <= sample.timestamp


def test_one_path_of_metadata_may_have_two_values(
        samples: dict[int, list[Sample]]) -> None:
    found = [sample.metadata for one in samples.values() for sample in one]
    assert any(said.get('label') == {'tier': 'silver'}
               and said['label.tier'] == 'gold' for said in found)
    assert any(said.get('depth') == -2 for said in found)
