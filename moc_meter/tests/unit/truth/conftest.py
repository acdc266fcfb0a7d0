# SPDX-License-Identifier: Apache-2.0
"""Small worlds, made once."""

from __future__ import annotations

import pytest

from moc_meter.truth.forms import (
    Sample,
)
from moc_meter.truth.world import World

SEEDS = range(40)


@pytest.fixture(scope='session')
def worlds() -> list[World]:
    return [World(seed, decimals=seed % 2 == 1) for seed in SEEDS]


@pytest.fixture(scope='session')
def samples(worlds: list[World]) -> dict[int, list[Sample]]:
    return {world.seed: list(world.samples()) for world in worlds}
