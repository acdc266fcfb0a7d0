# SPDX-License-Identifier: Apache-2.0
"""The packaged life of an instance: created, resized, deleted."""

from __future__ import annotations

import datetime
import importlib.resources
from decimal import Decimal

from moc_meter.agent.notification import message
from moc_meter.agent.notification.compute import InstanceMeters
from moc_meter.agent.notification.host import PluginHost
from moc_meter.model import meter
from moc_meter.model.sample import Sample


def samples() -> list[Sample]:
    life = (importlib.resources.files('moc_meter.agent.notification')
            / 'examples' / 'instance-life.jsonl').read_bytes()
    host = PluginHost({'instance': InstanceMeters()}, meter.load())
    outcomes = [host.take('example', message.flat(line))
                for line in life.splitlines()]
    assert not [refused for outcome in outcomes
                for refused in outcome.refused]
    return [sample for outcome in outcomes for sample in outcome.samples]


def volumes(name: str) -> list[Decimal]:
    return [sample.volume for sample in samples() if sample.meter == name]


def test_the_instance_grows_by_its_resize() -> None:
    assert volumes('vcpus') == [1, 1, 2, 2, 2]
    assert volumes('memory') == [2048, 2048, 4096, 4096, 4096]
    assert volumes('disk.root.size') == [20, 20, 40, 40, 40]
    assert volumes('disk.ephemeral.size') == [0, 0, 10, 10, 10]


def test_its_flavors_are_counted_apart() -> None:
    assert len(volumes('instance')) == 5
    assert len(volumes('instance:m1.small')) == 2
    assert len(volumes('instance:m1.medium')) == 3


def test_it_booted_once() -> None:
    assert volumes('compute.instance.booting.time') == [Decimal('10.25')]


def test_it_is_one_resource_of_one_owner() -> None:
    assert len({(sample.resource_id, sample.project_id, sample.user_id)
                for sample in samples()}) == 1


def test_its_31_samples_are_told_apart_and_always_the_same() -> None:
    assert len({sample.key for sample in samples()}) == 31
    assert samples() == samples()


def test_its_life_is_the_first_of_march_2026() -> None:
    assert ({sample.timestamp.date() for sample in samples()}
            == {datetime.date(2026, 3, 1)})
