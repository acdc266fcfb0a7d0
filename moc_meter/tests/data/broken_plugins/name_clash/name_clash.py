# SPDX-License-Identifier: Apache-2.0
"""Broken on purpose: the name of its entry point is one of ours."""

from __future__ import annotations

from moc_meter.agent.notification.base import Notification
from moc_meter.model.sample import Sample


class Meters:
    """Has nothing wrong but its name."""

    event_types = ('mail.*',)

    def samples(self, notification: Notification) -> list[Sample]:
        assert notification
        return []
