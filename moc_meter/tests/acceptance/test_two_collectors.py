# SPDX-License-Identifier: Apache-2.0
"""What python -m moc_meter.tests.perf two-collectors does, with few."""

from __future__ import annotations

import contextlib
from pathlib import Path

from moc_meter.tests.perf.data import Shape
from moc_meter.tests.perf.two_collectors import Race
from moc_meter.tests.servers.rabbitmq import RabbitMQ

#: 30,120 samples of 104 days.
SHAPE = Shape(projects=2, instances=1, days=104, volumes=2)


def test_a_collector_killed_at_full_speed_loses_and_doubles_nothing(
        rabbitmq_server: RabbitMQ, postgresql_url: str,
        tmp_path: Path) -> None:
    with contextlib.closing(
            Race(tmp_path, rabbitmq_server, postgresql_url)) as race:
        outcome = race.run(SHAPE, kills=2)
    assert (outcome.lost, outcome.doubled) == (0, 0)
    assert (outcome.wrong, outcome.quarantined) == (0, 0)
