# SPDX-License-Identifier: Apache-2.0
"""Captured notifications, and what the installed plugins make of them."""

from __future__ import annotations

import datetime
import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moc_meter import plugins
from moc_meter.agent.notification import message
from moc_meter.agent.notification.base import Notification, NotificationPlugin
from moc_meter.agent.notification.host import Outcome, PluginHost
from moc_meter.model import meter
from moc_meter.model.sample import Sample

_DATA = Path(__file__).parents[3] / 'data' / 'notifications'
DEFINITIONS = meter.load()
CAPTURED = sorted(path.name for path in (_DATA / 'messages').glob('*.json'))
DEFAULT = ('metric', 'existence')
PROFILES = [('metric',), ('existence',), DEFAULT, ('versioned',),
            ('metric', 'versioned'), (*DEFAULT, 'versioned')]
NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)


@functools.cache
def host(*profiles: str) -> PluginHost:
    found = plugins.load('moc_meter.notification')
    return PluginHost({name: plugin() for name, plugin in found.items()},
                      DEFINITIONS, profiles)


def flat(name: str) -> dict[str, Any]:
    return message.flat((_DATA / 'messages' / name).read_bytes())


def taken(name: str, *profiles: str) -> Outcome:
    return host(*profiles).take('region-1', flat(name))


def expected(name: str, *profiles: str) -> list[Mapping[str, Any]]:
    """Samples that a notification must give; none of Nova's in both forms."""
    found = json.loads((_DATA / 'expected' / name).read_text('utf-8'))
    if ('versioned' in profiles
            and found['event_type'].startswith('compute.instance.')):
        return []
    return [one for one in found['expected'] if one['profile'] in profiles]


def user_metadata(name: str) -> Any:
    """What an owner said, that must be with every sample of an instance."""
    found = json.loads((_DATA / 'expected' / name).read_text('utf-8'))
    return found.get('user_metadata')


def heard(plugin: NotificationPlugin, event_type: str,
          payload: dict[str, Any], **context: object) -> list[Sample]:
    """What one plugin makes of a notification."""
    found = list(plugin.samples(Notification(
        source='region-1', message_id='n-1', event_type=event_type,
        publisher_id='service.h1', timestamp=NOON, payload=payload,
        context=context)))
    assert len({sample.key for sample in found}) == len(found)
    return found
