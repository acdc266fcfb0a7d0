# SPDX-License-Identifier: Apache-2.0
"""Usage of whole worlds adds up."""

from __future__ import annotations

import functools
import json

import pytest

from moc_meter.tests.unit.truth.accounting.clouds import units
from moc_meter.truth import usage
from moc_meter.truth.accounting import exact
from moc_meter.truth.forms import Holder
from moc_meter.truth.world import World

SEEDS = (3, 8)
METERS = ('vcpus', 'cpu', 'memory.usage', 'network.incoming.bytes',
          'volume.size', 'web.requests', 'pages.printed', 'archive.size')


@functools.cache
def world(seed: int) -> World:
    return World(seed, decimals=seed % 2 == 0)


def total(seed: int, subject: str, how: str) -> int:
    return sum(units(row['quantity']) for row in usage.answer(
        world(seed), f'/truth/{subject}?{how}'))


@pytest.mark.parametrize('seed', SEEDS)
@pytest.mark.parametrize('subject', [
    *(f'usage/{meter}' for meter in METERS), 'existence', 'active'])
def test_parts_add_up_to_the_whole(seed: int, subject: str) -> None:
    whole = total(seed, subject, '')
    for how in ('period=hour', 'period=day', 'period=week', 'by=project_id',
                'by=user_id&by=resource_id&period=day', 'by=institution',
                'by=institution&by=project_id&period=hour',
                'by=institution&basis=affiliation',
                'by=metadata.flavor.name&by=type'):
        assert total(seed, subject, how) == whole, how


@pytest.mark.parametrize('seed', SEEDS)
@pytest.mark.parametrize('subject', ['usage/vcpus', 'usage/cpu', 'existence'])
def test_institutions_add_up_to_each_project_of_each_day(
        seed: int, subject: str) -> None:
    divided: dict[tuple[object, object], int] = {}
    for row in usage.answer(world(seed), f'/truth/{subject}?period=day'
                                         f'&by=project_id&by=institution'):
        names = row['start'], row['project_id']
        divided[names] = divided.get(names, 0) + units(row['quantity'])
    assert divided == {
        (row['start'], row['project_id']): units(row['quantity'])
        for row in usage.answer(
            world(seed), f'/truth/{subject}?period=day&by=project_id')}


@pytest.mark.parametrize('seed', SEEDS)
def test_what_is_missing_and_what_came_are_all_that_was_expected(
        seed: int) -> None:
    lost = list(world(seed).missing())
    rows = usage.answer(world(seed), '/truth/missing?period=hour')
    assert sum(int(str(row['missing'])) for row in rows) == len(lost) + sum(
        sample.unit != world(seed).facts.meters[sample.meter].unit
        for sample in world(seed).samples())
    assert {row['resource_id'] for row in rows} >= {
        one.resource_id for one in lost}


def by_resource(seed: int, subject: str) -> dict[object, object]:
    return {row['resource_id']: row['quantity'] for row in usage.answer(
        world(seed), f'/truth/{subject}?by=resource_id')
        if row['status'] != 'missing'}


@pytest.mark.parametrize('seed', SEEDS)
@pytest.mark.parametrize('meter', ['network', 'ip.floating'])
def test_usage_of_what_is_simply_there_is_its_existence(
        seed: int, meter: str) -> None:
    existence = by_resource(seed, 'existence')
    found = by_resource(seed, f'usage/{meter}')
    assert found
    assert found == {name: existence[name] for name in found}


@pytest.mark.parametrize('seed', SEEDS)
def test_usage_of_vcpus_is_what_instances_really_had(seed: int) -> None:
    """By their lives alone; left out are those of which a message got lost.
    """
    of = world(seed)
    lost = {one.resource_id for one in of.missing() if one.meter == 'vcpus'}
    truth: dict[object, object] = {life.resource_id: exact.quantity_text(sum(
        vcpus(here) * (until - here.since) * 1000
        for here, until in zip(life.holders, [*(
            one.since for one in life.holders[1:]),
            life.deleted or of.end], strict=True)))
        for life in of.lives() if life.type == 'instance'}
    found = by_resource(seed, 'usage/vcpus')
    assert found.keys() == truth.keys()
    assert {name: found[name] for name in found if name not in lost} == {
        name: truth[name] for name in found if name not in lost}


def vcpus(holder: Holder) -> int:
    flavor = holder.metadata['flavor']
    assert isinstance(flavor, dict)
    return int(flavor['vcpus'])


def test_an_answer_is_json_and_always_the_same() -> None:
    question = '/truth/usage/cpu?by=institution&by=resource_id&period=day'
    assert json.dumps(usage.answer(World(3), question)) == json.dumps(
        usage.answer(World(3), question))
