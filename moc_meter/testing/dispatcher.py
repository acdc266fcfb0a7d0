# SPDX-License-Identifier: Apache-2.0
"""What every destination promises; see collector/dispatcher/base.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from moc_meter import errors
from moc_meter.collector.dispatcher.base import Dispatcher
from moc_meter.model.query import Outcome
from moc_meter.model.sample import Sample
from moc_meter.testing.makers import BAD, NOON, sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A dispatcher, and how its far side is looked at and taken away."""

    dispatcher: Dispatcher
    samples: Callable[[], Sequence[Sample]]
    quarantined: Callable[[], int]
    leave: Callable[[], object]
    come_back: Callable[[], object]


class DispatcherSuite:
    """Fill in the destination."""

    @pytest.fixture
    def destination(self) -> Destination:
        """A destination that holds nothing."""
        raise NotImplementedError

    def test_what_is_dispatched_is_kept(self, destination: Destination
                                        ) -> None:
        written = destination.dispatcher.dispatch(
            [sample(n) for n in range(20)], NOON)
        assert written.stored == 20
        assert sorted(destination.samples(),
                      key=lambda one: one.volume) == [
            sample(n) for n in range(20)]

    def test_what_is_dispatched_again_is_kept_once(
            self, destination: Destination) -> None:
        destination.dispatcher.dispatch([sample(1), sample(2)], NOON)
        written = destination.dispatcher.dispatch(
            [sample(3), sample(2), sample(1), sample(3)], NOON)
        assert written.outcomes == (
            Outcome.STORED, *(Outcome.DUPLICATE,) * 3)
        assert len(destination.samples()) == 3

    def test_what_is_quarantined_again_is_kept_once(
            self, destination: Destination) -> None:
        destination.dispatcher.quarantine([BAD, BAD], NOON)
        destination.dispatcher.quarantine([BAD], NOON)
        assert destination.quarantined() == 1

    def test_while_it_is_away_everything_can_be_tried_again(
            self, destination: Destination) -> None:
        dispatcher = destination.dispatcher
        dispatcher.ping()
        destination.leave()
        deeds: list[Callable[[], object]] = [
            dispatcher.ping, lambda: dispatcher.dispatch([sample(1)], NOON),
            lambda: dispatcher.quarantine([BAD], NOON)]
        for deed in deeds:
            with pytest.raises(errors.MeterError) as fault:
                deed()
            assert fault.value.retryable
        destination.come_back()
        for deed in deeds:
            deed()
        assert destination.samples() == [sample(1)]
        assert destination.quarantined() == 1
