# SPDX-License-Identifier: Apache-2.0
"""The host of the notification plugins: asks those that a message is for."""

from __future__ import annotations

import collections
import fnmatch
import json
import logging
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from moc_meter import errors
from moc_meter.agent.notification import message
from moc_meter.agent.notification.base import (
    AlternativePlugin,
    NotificationPlugin,
    ProfiledPlugin,
)
from moc_meter.model.meter import Definitions
from moc_meter.model.sample import Refused, Sample

LOG = logging.getLogger(__name__)

_ORIGIN = 'agent notification'
#: Characters of a reason: a fault may show a value as large as a message.
_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one notification."""

    samples: tuple[Sample, ...] = ()
    refused: tuple[Refused, ...] = ()


class PluginHost:
    """Makes samples of notifications; one plugin's fault stops no other."""

    def __init__(self, plugins: Mapping[str, NotificationPlugin],
                 definitions: Definitions,
                 profiles: Collection[str] = ('metric', 'existence')) -> None:
        """plugins: by name. profiles: of the meters that are wanted."""
        self._profiles = frozenset(profiles)
        self._plugins = _asked(plugins, self._profiles)
        self._profiled = {name for name, plugin in self._plugins.items()
                          if isinstance(plugin, ProfiledPlugin)}
        self._definitions = definitions
        self._lock = threading.Lock()
        #: 'notifications' that a plugin asked for, 'samples' and 'refused'
        #: that came of them, and 'fault NAME' of each plugin
        self.counts: collections.Counter[str] = collections.Counter()

    @property
    def topics(self) -> tuple[str, ...]:
        """What is to be heard for the plugins, besides what is anyway."""
        return tuple(topic for plugin in self._plugins.values()
                     if isinstance(plugin, AlternativePlugin)
                     for topic in plugin.topics)

    def take(self, source: str, flat: Mapping[str, Any]) -> Outcome:
        """Samples of a notification, and itself where it cannot be used.

        source: the deployment that it is from.
        flat: the message in its flat form; one that no plugin asks for gives
            nothing, whatever is in it.
        """
        wanted = self._asking_for(flat.get('event_type'))
        if not wanted:
            return Outcome()
        try:
            notification = message.to_notification(source, flat)
        except errors.InvalidMessage as fault:
            return self._count(Outcome(
                refused=(self._refusal('envelope', flat, fault),)))
        if notification is None:
            return Outcome()
        samples: list[Sample] = []
        refused: list[Refused] = []
        for name, plugin in wanted.items():
            try:
                found = [sample for sample in plugin.samples(notification)
                         if name in self._profiled
                         or self._is_wanted(sample)]
            except Exception as fault:
                # Whatever it is: a stranger's bug stops nobody else.
                refused.append(self._refusal(name, flat, fault))
            else:
                samples += found
        return self._count(Outcome(tuple(samples), tuple(refused)))

    def _asking_for(self, event_type: object
                    ) -> dict[str, NotificationPlugin]:
        if not isinstance(event_type, str):
            return {}
        return {name: plugin for name, plugin in self._plugins.items()
                if any(fnmatch.fnmatchcase(event_type, pattern)
                       for pattern in plugin.event_types)}

    def _is_wanted(self, sample: Sample) -> bool:
        """A site's own meters have no profile, and are always wanted."""
        known = self._definitions.find(sample.meter)
        return (known is None or known.profile is None
                or known.profile in self._profiles)

    def _refusal(self, name: str, flat: Mapping[str, Any],
                 fault: Exception) -> Refused:
        """Also named in the log, for the first fault of a plugin."""
        code, reason = errors.InvalidMessage.code, repr(fault)
        if isinstance(fault, errors.MeterError):
            code, reason = fault.code, str(fault)
        reason = reason[:_LONGEST]
        with self._lock:
            self.counts[f'fault {name}'] += 1
            first = self.counts[f'fault {name}'] == 1
        if first:
            LOG.warning('notification refused, further ones are counted '
                        'plugin=%s event_type=%s message_id=%s reason=%s',
                        name, flat.get('event_type'), flat.get('message_id'),
                        reason)
        return Refused(content=_content(flat), code=code, origin=_ORIGIN,
                       reason=f'{name}: {reason}')

    def _count(self, outcome: Outcome) -> Outcome:
        with self._lock:
            self.counts['notifications'] += 1
            self.counts['samples'] += len(outcome.samples)
            self.counts['refused'] += len(outcome.refused)
        return outcome


def _asked(plugins: Mapping[str, NotificationPlugin],
           profiles: Collection[str]) -> dict[str, NotificationPlugin]:
    """Those whose profile is on, but for those that others stand for."""
    found = {name: plugin for name, plugin in plugins.items()
             if not isinstance(plugin, ProfiledPlugin)
             or plugin.profile in profiles}
    replaced = {name for plugin in found.values()
                if isinstance(plugin, AlternativePlugin)
                for name in plugin.instead_of}
    return {name: plugin for name, plugin in found.items()
            if name not in replaced}


def _content(flat: Mapping[str, Any]) -> bytes:
    """The message as it came, but without what its context may hold."""
    kept = {key: value for key, value in flat.items()
            if not key.startswith('_context_')
            or key.removeprefix('_context_') in message.CONTEXT}
    try:
        return json.dumps(kept).encode()
    except RecursionError:
        # Nested so deeply that it could just be read: this tells which it is.
        return json.dumps({key: value for key, value in kept.items()
                           if isinstance(value, str)}).encode()
