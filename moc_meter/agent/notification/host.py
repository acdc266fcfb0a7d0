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

from moc_meter import contracts, errors
from moc_meter.agent.notification import message
from moc_meter.agent.notification.base import (
    AlternativePlugin,
    Notification,
    NotificationPlugin,
    ProfiledPlugin,
)
from moc_meter.agent.notification.events import EventMaker
from moc_meter.agent.polling.calls import Calls
from moc_meter.model.meter import Definitions
from moc_meter.model.sample import Refused, Sample

LOG = logging.getLogger(__name__)

_ORIGIN = 'agent notification'
#: Characters of a reason: a fault may show a value as large as a message.
_LONGEST = 1000
#: Longest that a plugin may take for one notification, in seconds.
_PATIENCE = 5.0
#: So often it may take longer; then it is not asked any more, since each time
#: holds up the others. One that does not come back at all is not asked twice.
_HANGS = 3


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one notification.

    asked: the plugins that ask for its event type.
    makers: the plugin that made each sample.
    unwanted: meters of samples that were made, of profiles not wanted.
    """

    samples: tuple[Sample, ...] = ()
    refused: tuple[Refused, ...] = ()
    asked: tuple[str, ...] = ()
    makers: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()


class PluginHost:
    """Makes samples of notifications; one plugin's fault stops no other.

    What a plugin is to blame for (it raises, takes too long, makes too much
    or what is no sample) costs its own samples of that notification, which
    goes to quarantine.
    """

    def __init__(self, plugins: Mapping[str, NotificationPlugin],
                 definitions: Definitions,
                 profiles: Collection[str] = ('metric', 'existence'), *,
                 events: Collection[str] = (),
                 patience: float = _PATIENCE) -> None:
        """plugins: by name. profiles: of the meters that are wanted.

        events: types of which an event is made too: fnmatch patterns.
        patience: seconds that a plugin may take for one notification.
        Raises InvalidPlugin for what is no notification plugin.
        """
        for name, plugin in plugins.items():
            for complaint in contracts.complaints('moc_meter.notification',
                                                  plugin):
                raise errors.InvalidPlugin(
                    'a plugin does not keep its contract', name=name,
                    reason=complaint)
        self._patience = patience
        self._calls = Calls('notification-plugins')
        self._events = EventMaker(events)
        self._profiles = frozenset(profiles)
        self._plugins = _asked(plugins, self._profiles)
        self._profiled = {name for name, plugin in self._plugins.items()
                          if isinstance(plugin, ProfiledPlugin)}
        self._definitions = definitions
        self._lock = threading.Lock()
        #: 'notifications' that a plugin asked for, 'samples' and 'refused'
        #: that came of them, 'fault NAME' and 'hang NAME' of each plugin
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
        flat: the message in its flat form; one that neither a plugin asks
            for nor is to be an event gives nothing, whatever is in it.
        """
        wanted = self._asking_for(flat.get('event_type'))
        happens = self._events.wants(flat.get('event_type'))
        if not wanted and not happens:
            return Outcome()
        try:
            notification = message.to_notification(source, flat)
        except errors.InvalidMessage as fault:
            return self._count(Outcome(
                refused=(self._refusal('envelope', flat, fault),),
                asked=tuple(wanted)))
        if notification is None:
            return Outcome(asked=tuple(wanted))
        made: list[tuple[str, Sample]] = []
        refused: list[Refused] = []
        for name, plugin in wanted.items():
            try:
                found = self._asked(name, plugin, notification)
            except Exception as fault:
                # Whatever it is: a stranger's bug stops nobody else.
                refused.append(self._refusal(name, flat, fault))
            else:
                made += [(name, sample) for sample in found]
        kept = [(name, sample) for name, sample in made
                if self._is_wanted(name, sample)]
        if happens:
            try:
                kept.append(('event', self._events.event(notification)))
            except Exception as fault:
                # What it says may be nothing that can be written.
                refused.append(self._refusal('event', flat, fault))
        return self._count(Outcome(
            tuple(sample for _, sample in kept), tuple(refused),
            asked=tuple(wanted), makers=tuple(name for name, _ in kept),
            unwanted=tuple(sample.meter for name, sample in made
                           if not self._is_wanted(name, sample))))

    @property
    def names(self) -> list[str]:
        """Of the plugins."""
        return list(self._plugins)

    @property
    def left_out(self) -> list[str]:
        """Plugins that hang now, or have done so too often: not asked."""
        hanging = self._calls.hanging
        return [name for name in self._plugins
                if name in hanging or self.counts[f'hang {name}'] >= _HANGS]

    def _asked(self, name: str, plugin: NotificationPlugin,
               notification: Notification) -> list[Sample]:
        if name in self.left_out:
            raise errors.PluginHangs(
                'a plugin hangs and is not asked', times=self.counts[
                    f'hang {name}'])
        try:
            return self._calls.call(
                name, lambda: list(contracts.samples(
                    lambda: plugin.samples(notification))), self._patience)
        except TimeoutError as fault:
            if name not in self._calls.hanging:
                raise       # the plugin's own
            self._hung(name)
            raise errors.PluginHangs('a plugin does not answer',
                                     seconds=self._patience) from fault

    def _hung(self, name: str) -> None:
        with self._lock:
            self.counts[f'hang {name}'] += 1
            last = self.counts[f'hang {name}'] == _HANGS
        if last:
            LOG.error('plugin left out until the next start, it hangs '
                      'plugin=%s times=%d', name, _HANGS)

    def _asking_for(self, event_type: object
                    ) -> dict[str, NotificationPlugin]:
        if not isinstance(event_type, str):
            return {}
        return {name: plugin for name, plugin in self._plugins.items()
                if any(fnmatch.fnmatchcase(event_type, pattern)
                       for pattern in plugin.event_types)}

    def _is_wanted(self, plugin: str, sample: Sample) -> bool:
        """A site's own meters have no profile, and are always wanted.

        So are those of a plugin that is asked for its own profile.
        """
        if plugin in self._profiled:
            return True
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
