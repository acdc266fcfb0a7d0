# SPDX-License-Identifier: Apache-2.0
"""Broken on purpose: it waits for ever for what lies outside."""

from __future__ import annotations

import threading

from moc_meter.agent.notification.base import Notification
from moc_meter.model.sample import Sample


class Meters:
    """A mail service that never answers."""

    event_types = ('mail.*',)

    def __init__(self) -> None:
        threading.Event().wait()

    def samples(self, notification: Notification) -> list[Sample]:
        assert notification
        return []
