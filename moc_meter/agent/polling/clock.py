# SPDX-License-Identifier: Apache-2.0
"""What time it is, and waiting for another; tests bring their own."""

from __future__ import annotations

import datetime
import threading
from typing import Protocol


class Clock(Protocol):
    """Time as one process sees it."""

    def now(self) -> datetime.datetime:
        """Aware, UTC."""

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Wait; True, and at once, when it is time to stop."""


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime.datetime:
        return datetime.datetime.now(datetime.UTC)

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        return stop.wait(seconds)
