# SPDX-License-Identifier: Apache-2.0
"""Broken on purpose: a dictionary is no sample."""

from __future__ import annotations

from collections.abc import Iterator

from moc_meter.agent.notification.base import Notification


class Meters:
    """Yields what a sample would say, and no sample."""

    event_types = ('mail.*',)

    def samples(self, notification: Notification
                ) -> Iterator[dict[str, object]]:
        yield {'meter': 'mail.sent', 'volume': 1,
               'message_id': notification.message_id}
