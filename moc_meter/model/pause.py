# SPDX-License-Identifier: Apache-2.0
"""How long to wait before trying again."""

from __future__ import annotations

from collections.abc import Iterator


def pauses(first: float = 0.1, longest: float = 30.0) -> Iterator[float]:
    """Growing pauses in seconds, doubled each time up to the longest."""
    pause = first
    while True:
        yield pause
        pause = min(pause * 2, longest)
