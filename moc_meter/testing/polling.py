# SPDX-License-Identifier: Apache-2.0
"""What every poller promises; see agent/polling/base.py."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Sequence
from typing import Any

import pytest

from moc_meter import contracts
from moc_meter.agent.polling.base import (
    ComputePoller,
    HardwarePoller,
    Instance,
    Tick,
)
from moc_meter.model.sample import Sample
from moc_meter.testing.makers import NOON, admit

TICK = Tick(source='region-1', instant=NOON)
LATER = Tick(source='region-1',
             instant=NOON + datetime.timedelta(minutes=10))
_NOBODY = Instance(id='ffffffff-0000-4000-8000-000000000000',
                   name='instance-ffffffff', host='compute-1',
                   project_id='p-1', user_id='u-1')


class _PollerSuite:
    namespace = ''

    def test_it_has_what_its_host_asks_for(self, poller: Any) -> None:
        assert contracts.complaints(self.namespace, poller) == []

    def test_it_makes_samples_that_may_enter(self, poller: Any,
                                             asked: Any) -> None:
        found = ask(poller, TICK, asked)
        assert [admit(sample) for sample in found] == found
        assert found

    def test_samples_are_of_the_tick(self, poller: Any, asked: Any) -> None:
        assert {(sample.source, sample.timestamp)
                for sample in ask(poller, TICK, asked)} == {
            (TICK.source, TICK.instant)}

    def test_two_agents_make_the_same_samples_of_one_tick(
            self, poller: Any, asked: Any) -> None:
        assert ids(ask(poller, TICK, asked)) == ids(ask(poller, TICK, asked))

    def test_another_tick_is_other_samples(self, poller: Any,
                                           asked: Any) -> None:
        assert not (ids(ask(poller, TICK, asked))
                    & ids(ask(poller, LATER, asked)))

    def test_no_two_samples_are_taken_for_one(self, poller: Any,
                                              asked: Any) -> None:
        found = ask(poller, TICK, asked)
        assert len(ids(found)) == len(found)


class ComputePollerSuite(_PollerSuite):
    """Fill in both fixtures."""

    namespace = 'moc_meter.poll.compute'

    @pytest.fixture
    def poller(self) -> ComputePoller:
        """The poller, with a hypervisor whose turn has begun."""
        raise NotImplementedError

    @pytest.fixture
    def asked(self) -> Sequence[Instance]:
        """Instances of that hypervisor of which it makes samples."""
        raise NotImplementedError

    def test_an_instance_that_vanished_costs_no_other(
            self, poller: ComputePoller, asked: Sequence[Instance]) -> None:
        assert ids(ask(poller, TICK, [_NOBODY, *asked])) == ids(
            ask(poller, TICK, asked))

    def test_nobody_asked_is_nothing_said(self, poller: ComputePoller
                                          ) -> None:
        assert ask(poller, TICK, []) == []

    def test_samples_are_charged_to_the_owner(
            self, poller: ComputePoller, asked: Sequence[Instance]) -> None:
        [first, *_] = asked
        other = dataclasses.replace(first, project_id='p-2', user_id='u-2')
        assert {(sample.project_id, sample.user_id)
                for sample in ask(poller, TICK, [other])} == {('p-2', 'u-2')}


class HardwarePollerSuite(_PollerSuite):
    """Fill in the poller."""

    namespace = 'moc_meter.poll.hardware'

    @pytest.fixture
    def poller(self) -> HardwarePoller:
        """The poller."""
        raise NotImplementedError

    @pytest.fixture
    def asked(self) -> str:
        """The name of the host."""
        return 'compute-1'

    def test_resources_are_of_the_host(self, poller: HardwarePoller,
                                       asked: str) -> None:
        assert all(sample.resource_id.startswith(asked)
                   for sample in ask(poller, TICK, asked))


def ask(poller: Any, tick: Tick, asked: Any) -> list[Sample]:
    """What the poller says, checked as its host does."""
    return list(contracts.samples(lambda: poller.samples(tick, asked)))


def ids(found: list[Sample]) -> set[tuple[str, str, object]]:
    return {(sample.meter, sample.resource_id, sample.key)
            for sample in found}
