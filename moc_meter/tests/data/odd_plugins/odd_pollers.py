# SPDX-License-Identifier: Apache-2.0
"""Plugins that keep their contract, and do harm on purpose; and one good."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

from moc_meter.agent.polling.base import Measure, Tick
from moc_meter.agent.polling.hypervisor.base import Guest
from moc_meter.model.sample import MeterKind, Sample
from moc_meter.testing.hypervisor import FakeHypervisor

_DOORS = Measure('odd.doors', MeterKind.GAUGE, 'door')


class Good:
    """One sample."""

    def samples(self, tick: Tick, host: str) -> Iterator[Sample]:
        yield _DOORS.sample(tick, host, 2, metadata={})


class Hangs:
    """One sample, and no end."""

    def samples(self, tick: Tick, _: str) -> Iterator[Sample]:
        yield _DOORS.sample(tick, 'hangs', 2, metadata={})
        threading.Event().wait()


class Floods:
    """More and more."""

    def samples(self, tick: Tick, _: str) -> Iterator[Sample]:
        for number in itertools.count():
            yield _DOORS.sample(tick, f'floods-{number}', 2, metadata={})


class Raises:
    """No sample, but the end of the process, as it thinks."""

    def samples(self, *_: object) -> Iterator[Sample]:
        raise SystemExit(3)


class HangsWhenMade:
    """Waits for a server, say."""

    def __init__(self, _: object) -> None:
        threading.Event().wait()

    def samples(self, *_: object) -> list[Sample]:
        return []


class RaisesWhenMade:
    """Lacks a file, say."""

    def __init__(self, _: object) -> None:
        raise KeyError('where the doors are')

    def samples(self, *_: object) -> list[Sample]:
        return []


class Nowhere(FakeHypervisor):
    """A hypervisor that never answers."""

    def __init__(self, _: str) -> None:
        super().__init__()

    def guests(self) -> list[Guest]:
        threading.Event().wait()
        return []


class Broken(Nowhere):
    """A hypervisor that answers with a fault of its own."""

    def guests(self) -> list[Guest]:
        raise KeyError('where the guests are')
