# SPDX-License-Identifier: Apache-2.0
"""What a made-up cloud promises to those who compute with it."""

from __future__ import annotations

import datetime
import hashlib
import itertools
import tracemalloc
from collections import defaultdict

import pytest

from moc_meter.truth import calendar, files
from moc_meter.truth.forms import (
    Sample,
)
from moc_meter.truth.scale import SCALES, scale
from moc_meter.truth.world import World


def digest(world: World) -> str:
    """Of everything that a world tells."""
    found = hashlib.sha256(repr(world.facts).encode())
    for thing in itertools.chain(
            world.lives(), world.missing(), world.samples(),
            world.delivered('shuffled'), world.notifications(),
            world.notified(), world.readings(), world.polled()):
        found.update(repr(thing).encode())
    return found.hexdigest()[:16]


@pytest.mark.parametrize(('seed', 'decimals', 'expected'), [
    (1, False, '6a4647c9f7bd587d'), (2, True, 'a7acc79fad2037be')])
def test_a_world_is_the_same_everywhere_and_for_ever(
        seed: int, decimals: bool, expected: str) -> None:
    """Where the generator is changed, its VERSION and this are as well."""
    assert (files.VERSION, digest(World(seed, decimals=decimals))) == (
        2, expected)


def test_a_world_tells_the_same_each_time(worlds: list[World]) -> None:
    assert digest(worlds[3]) == digest(worlds[3])


def test_seeds_make_different_worlds(
        samples: dict[int, list[Sample]]) -> None:
    assert len({sample.resource_id for found in samples.values()
                for sample in found if sample.meter == 'vcpus'}) > 4 * len(
                    samples)


def test_lives_are_in_order_and_their_parts_too(
        worlds: list[World]) -> None:
    for world in worlds:
        lives = list(world.lives())
        assert len({life.resource_id for life in lives}) == len(lives)
        births = [life.created for life in lives]
        assert births == sorted(births)
        for life in lives:
            since = [holder.since for holder in life.holders]
            assert since == sorted(set(since))
            assert since[0] == life.states[0][0] == life.created
            assert life.deleted is None or since[-1] < life.deleted


def test_all_that_can_happen_to_a_resource_happens(
        worlds: list[World]) -> None:
    happened: dict[str, set[str]] = defaultdict(set)
    for world in worlds:
        for course in world.population.courses():
            happened[course.life.type] |= {
                event.what for event in course.events}
    assert happened == {
        'instance': {'ask', 'create', 'resize', 'stop', 'start', 'shelve',
                     'unshelve', 'migrate', 'reboot', 'describe', 'delete'},
        'volume': {'create', 'resize', 'transfer', 'delete'},
        **{other: {'create', 'update', 'delete'} for other in (
            'snapshot', 'image', 'network', 'ip.floating')}}


def test_a_volume_may_get_another_owner(worlds: list[World]) -> None:
    assert any(len({holder.project_id for holder in life.holders}) > 1
               for world in worlds for life in world.lives()
               if life.type == 'volume')


def test_there_are_days_of_23_and_25_hours_with_samples(
        worlds: list[World], samples: dict[int, list[Sample]]) -> None:
    lengths = set()
    for world in worlds:
        times = [sample.timestamp for sample in samples[world.seed]]
        days = [*calendar.days(world.start, world.end, world.zone),
                world.end]
        for begin, end in itertools.pairwise(days):
            if any(begin <= at < end for at in times):
                lengths.add((end - begin) / calendar.HOUR)
    assert {23, 24, 25} < lengths


def test_there_are_worlds_in_which_a_month_begins(
        worlds: list[World]) -> None:
    begun = [world for world in worlds for at in calendar.days(
        world.start, world.end, world.zone)
        if calendar.local_day(at, world.zone).day == 1]
    assert len(begun) > len(worlds) / 5


def test_shares_of_a_project_are_never_more_than_all_of_it(
        worlds: list[World]) -> None:
    changed = nested = inherited = 0
    for world in worlds:
        facts = world.facts
        for share in facts.shares:
            changed += share.until is not None
            assert sum(other.share for other in facts.shares
                       if other.project_id == share.project_id
                       and other.since == share.since) <= 1
        below = {project.id for project in facts.projects if project.parent}
        nested += len(below)
        inherited += len(below - {share.project_id
                                  for share in facts.shares})
        assert {share.institution
                for share in facts.shares} <= set(facts.institutions)
    assert changed > 10
    assert 0 < inherited < nested


def test_memory_does_not_grow_with_time() -> None:
    def most(days: int) -> int:
        world = World(4, f'instances=10,days={days},step=1800,pushes=20')
        tracemalloc.start()
        try:
            for _ in files.lines(world.delivered()):
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    most(1)
    assert most(18) < 1.5 * most(6)


def test_the_demonstration_is_a_year_of_three_institutions() -> None:
    world = World(1, 'demo')
    zone = calendar.moment(world.start).astimezone(
        datetime.timezone(datetime.timedelta(hours=-5)))
    assert (zone.isoformat(), len(world.facts.institutions),
            len(world.facts.projects)) == ('2025-01-01T00:00:00-05:00', 3, 12)
    assert 90_000 < sum(1 for _ in world.samples()) < 130_000


def test_a_scale_has_a_name_or_numbers() -> None:
    assert scale('small') is SCALES['small']
    assert (scale('instances=50,days=3').instances,
            scale('instances=50,days=3').step) == (50, 3600)


def test_a_source_has_a_name() -> None:
    assert World(1).source == 'truth-1'
    with pytest.raises(ValueError, match='source'):
        World(1, source='')


def test_two_sources_of_one_seed_share_no_id() -> None:
    """A resource is asked for by its id alone."""
    ids = []
    for source in (None, 'other'):
        world = World(2, source=source)     # with unusual names
        assert world.frame.strange
        found = {name for sample in (*world.samples(), *world.notified(),
                                     *world.polled())
                 for name in (sample.message_id, sample.resource_id)}
        ids.append(found | {life.resource_id for life in world.lives()})
    assert not ids[0] & ids[1]


@pytest.mark.parametrize('text', [
    'tiny', 'instances', 'instances=x', 'cats=1', 'instances=0', '',
    'zone=1', 'days=4000', 'pushes=10000000', 'instances=²', 'meters=8',
    'step=90000', 'year=2025,days=400', 'days=' + '9' * 5000])
def test_a_scale_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match='scale'):
        scale(text)
