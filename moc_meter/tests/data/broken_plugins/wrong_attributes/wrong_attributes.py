# SPDX-License-Identifier: Apache-2.0
"""Broken on purpose: a pattern where a tuple of them belongs."""

from __future__ import annotations

from moc_meter.agent.notification.base import Notification
from moc_meter.model.sample import Sample


class Meters:
    """Its event types would be taken letter by letter."""

    event_types = 'mail.*'

    def samples(self, notification: Notification) -> list[Sample]:
        assert notification
        return []
