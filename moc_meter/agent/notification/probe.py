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
            fault = calls.call(
                'probe', functools.partial(_fault, plugin, notification),
                patience)
        except TimeoutError as hangs:
            fault = repr(hangs)
        if fault is not None:
            found.append(
                f'it fails at an empty {notification.event_type}: {fault}')
    return found


def _fault(plugin: NotificationPlugin, notification: Notification
           ) -> str | None:
    """What it raises that no plugin may; told in its own time."""
    try:
        for _ in contracts.samples(lambda: plugin.samples(notification)):
            pass
    except ALLOWED:
        return None
    except Exception as fault:
        return contracts.told(fault)
    return None


def notifications(plugin: NotificationPlugin) -> Iterator[Notification]:
    """One without a payload of each type that the plugin asks for."""
    for pattern in plugin.event_types:
        yield Notification(
            source='probe', message_id='probe', publisher_id='probe',
            event_type=pattern.replace('*', 'probe').replace('?', 'p'),
            timestamp=_INSTANT, payload={})
