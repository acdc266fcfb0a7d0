# SPDX-License-Identifier: Apache-2.0
"""What every publisher promises; see publisher/base.py."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import pytest

from moc_meter.model.sample import Refused, Sample
from moc_meter.publisher.base import Publisher
from moc_meter.testing.makers import BAD, sample


class Outlet(Protocol):
    """A publisher at one place, and what it has kept there."""

    def open(self) -> Publisher:
        """The publisher; the one before is closed."""

    def kept(self) -> tuple[list[Sample], list[Refused]]:
        """What it keeps while it is closed, in its order."""


class PublisherSuite:
    """Fill in the outlet."""

    @pytest.fixture
    def outlet(self, tmp_path: Path) -> Outlet:
        """An outlet that holds nothing; it may use the folder."""
        raise NotImplementedError

    def test_what_was_published_is_there_in_its_order(
            self, outlet: Outlet) -> None:
        publisher = outlet.open()
        publisher.publish([sample(n) for n in range(250)])
        publisher.publish([sample(250)])
        publisher.close()
        assert outlet.kept() == ([sample(n) for n in range(251)], [])

    def test_what_was_refused_travels_along(self, outlet: Outlet) -> None:
        publisher = outlet.open()
        publisher.publish([sample(1)], [BAD])
        publisher.close()
        assert outlet.kept() == ([sample(1)], [BAD])

    def test_nothing_published_is_nothing_kept(self, outlet: Outlet) -> None:
        publisher = outlet.open()
        publisher.publish([])
        publisher.close()
        assert outlet.kept() == ([], [])

    def test_the_next_start_adds_to_what_is_kept(self, outlet: Outlet
                                                 ) -> None:
        for number in range(3):
            publisher = outlet.open()
            publisher.publish([sample(number)])
            publisher.close()
        assert outlet.kept() == ([sample(n) for n in range(3)], [])

    def test_several_threads_lose_nothing_of_each_other(
            self, outlet: Outlet) -> None:
        publisher = outlet.open()

        def publish(thread: int) -> None:
            for n in range(20):
                publisher.publish([sample(thread * 100 + n)])

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(publish, range(4)))
        publisher.close()
        found, _ = outlet.kept()
        assert len(found) == 80
        for thread in range(4):
            own = [one for one in found if one.volume // 100 == thread]
            assert own == [sample(thread * 100 + n) for n in range(20)]
