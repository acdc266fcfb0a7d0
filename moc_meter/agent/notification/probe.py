# SPDX-License-Identifier: Apache-2.0
"""What a notification plugin does with notifications that hold nothing.

Asked by ``moc-meter-manage plugin check`` and by the test kit.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Iterator

from moc_meter import contracts, errors
from moc_meter.agent.calls import Calls
from moc_meter.agent.notification.base import Notification, NotificationPlugin

#: What a plugin may raise where a payload is not what its service documents.
ALLOWED = (errors.InvalidSample, KeyError, TypeError)
_INSTANT = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)


def complaints(plugin: NotificationPlugin, patience: float = 5.0
               ) -> list[str]:
    """What it does that no plugin may; a sentence each.

    plugin: one of which contracts.complaints() has found nothing.
    patience: seconds that it may take for a notification.
    """
    calls = Calls('probe')
    found = []
    for notification in notifications(plugin):
        try:
            calls.call('probe', functools.partial(_ask, plugin, notification),
                       patience)
        except ALLOWED:
            continue
        except Exception as fault:
            found.append(f'it fails at an empty {notification.event_type}: '
                         f'{fault!r}')
    return found


def _ask(plugin: NotificationPlugin, notification: Notification) -> None:
    for _ in contracts.samples(lambda: plugin.samples(notification)):
        pass


def notifications(plugin: NotificationPlugin) -> Iterator[Notification]:
    """One without a payload of each type that the plugin asks for."""
    for pattern in plugin.event_types:
        yield Notification(
            source='probe', message_id='probe', publisher_id='probe',
            event_type=pattern.replace('*', 'probe').replace('?', 'p'),
            timestamp=_INSTANT, payload={})
