# SPDX-License-Identifier: Apache-2.0
"""The host of the notification plugins: asks those that a message is for."""

from __future__ import annotations

import collections
import dataclasses
import fnmatch
import functools
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from moc_meter import contracts, errors
from moc_meter.agent.calls import Steps
from moc_meter.agent.notification import message
from moc_meter.agent.notification.base import (
    AlternativePlugin,
    Notification,
    NotificationPlugin,
    ProfiledPlugin,
)
from moc_meter.agent.notification.events import EventMaker
from moc_meter.agent.notification.patience import Patience
from moc_meter.agent.notification.refusal import refusal
from moc_meter.agent.plain import plainly
from moc_meter.model.meter import Definitions
from moc_meter.model.sample import Refused, Sample

LOG = logging.getLogger(__name__)
_T = TypeVar('_T')

#: Longest that a plugin may take for one notification, in seconds.
_PATIENCE = 5.0
#: Types of notifications of which is remembered whom they concern.
_TYPES = 1024


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one notification.

    asked: the plugins that ask for its event type.
    switched_off: those that would, and why they are not asked.
    unmetered: why nothing is metered of it, whatever its type.
    makers: the plugin that made each sample.
    unwanted: meters of samples that were made, of profiles not wanted.
    """

    samples: tuple[Sample, ...] = ()
    refused: tuple[Refused, ...] = ()
    asked: tuple[str, ...] = ()
    switched_off: Mapping[str, str] = field(default_factory=dict)
    unmetered: str | None = None
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
                 patience: float = _PATIENCE,
                 clock: Callable[[], float] = time.monotonic) -> None:
        """plugins: by name. profiles: of the meters that are wanted.

        events: types of which an event is made too: fnmatch patterns.
        patience: seconds that a plugin may take for one notification.
        clock: seconds that only grow, by which a plugin is tried again.
        Raises InvalidPlugin for what is no notification plugin.
        """
        for name, plugin in plugins.items():
            for complaint in contracts.complaints('moc_meter.notification',
                                                  plugin):
                raise errors.InvalidPlugin(
                    'a plugin does not keep its contract', name=name,
                    reason=complaint)
        self._patience = Patience(patience, clock)
        self._said: set[str] = set()        # plugins with a fault in the log
        self._events = EventMaker(events)
        self._profiles = frozenset(profiles)
        #: as they are now: a plugin may be of another mind later
        self._patterns = {name: tuple(plugin.event_types)
                          for name, plugin in plugins.items()}
        self._switched_off = _switched_off(plugins, self._profiles)
        self._plugins = {name: plugin for name, plugin in plugins.items()
                         if name not in self._switched_off}
        self._concerned = functools.lru_cache(_TYPES)(self._find_concerned)
        self._profiled = {name for name, plugin in self._plugins.items()
                          if isinstance(plugin, ProfiledPlugin)}
        self._definitions = definitions
        self._lock = threading.Lock()
        #: 'notifications' that a plugin asked for, 'samples' and 'refused'
        #: that came of them, 'fault NAME' of each plugin
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
        [outcome] = self.take_all(source, [flat])
        return outcome

    def take_all(self, source: str, flats: Iterable[Mapping[str, Any]]
                 ) -> list[Outcome]:
        """What comes of each, one after another: as take() for each of them.

        For many it takes less time, since all calls of plugins are handed
        together to the thread that makes them.
        """
        def steps() -> Steps[list[Outcome]]:
            outcomes = []
            for flat in flats:
                outcome = yield from self._taken(source, flat)
                outcomes.append(outcome)
            return outcomes

        return self._patience.run(steps())

    def _taken(self, source: str, flat: Mapping[str, Any]) -> Steps[Outcome]:
        event_type = flat.get('event_type')
        wanted, switched_off = (self._concerned(event_type)
                                if isinstance(event_type, str) else ({}, {}))
        happens = self._events.wants(event_type)
        nothing = Outcome(asked=tuple(wanted), switched_off=switched_off)
        if not wanted and not happens:
            return nothing
        try:
            notification = message.to_notification(source, flat)
        except errors.InvalidMessage as fault:
            return self._count(dataclasses.replace(nothing, refused=(
                self._refusal('envelope', source, flat, fault),)))
        if notification is None:
            return dataclasses.replace(nothing,
                                       unmetered=message.unmetered(flat))
        makers: list[str] = []
        samples: list[Sample] = []
        refused: list[Refused] = []
        unwanted: list[str] = []
        for name, plugin in wanted.items():
            try:
                found = yield from self._asked(name, plugin, notification)
            except Exception as fault:
                # Whatever it is: a stranger's bug stops nobody else.
                refused.append(self._refusal(name, source, flat, fault))
                continue
            for sample in found:
                if self._is_wanted(name, sample):
                    samples.append(sample)
                    makers.append(name)
                else:
                    unwanted.append(sample.meter)
        if happens:
            try:
                samples.append(self._events.event(notification))
                makers.append('event')
            except Exception as fault:
                # What it says may be nothing that can be written.
                refused.append(self._refusal('event', source, flat, fault))
        return self._count(Outcome(
            asked=nothing.asked, switched_off=switched_off,
            samples=tuple(samples), refused=tuple(refused),
            makers=tuple(makers), unwanted=tuple(unwanted)))

    @property
    def names(self) -> list[str]:
        """Of the plugins."""
        return list(self._plugins)

    @property
    def left_out(self) -> list[str]:
        """Plugins that are not asked: they hang or are slow, or were so a
        short while ago.
        """
        out = self._patience.left_out
        return [name for name in self._plugins if name in out]

    def _asked(self, name: str, plugin: NotificationPlugin,
               notification: Notification) -> Steps[list[Sample]]:
        """Its samples; it is given a copy, and changes it for no other."""
        was_absent = name in self._patience.absent
        found = yield from self._patience.ask(
            name, lambda: plainly(lambda: list(contracts.samples(
                lambda: plugin.samples(notification.copied())))))
        if was_absent and name not in self._patience.absent:
            self._said.discard(name)
            LOG.info('plugin answers again plugin=%s', name)
        return found

    def _find_concerned(self, event_type: str) -> tuple[
            dict[str, NotificationPlugin], dict[str, str]]:
        """Who asks for a type, and who would and is switched off."""
        def of(some: Mapping[str, _T]) -> dict[str, _T]:
            return {name: one for name, one in some.items()
                    if any(fnmatch.fnmatchcase(event_type, pattern)
                           for pattern in self._patterns[name])}
        return of(self._plugins), of(self._switched_off)

    def _is_wanted(self, plugin: str, sample: Sample) -> bool:
        """A site's own meters have no profile, and are always wanted.

        So are those of a plugin that is asked for its own profile.
        """
        if plugin in self._profiled:
            return True
        known = self._definitions.find(sample.meter)
        return (known is None or known.profile is None
                or known.profile in self._profiles)

    def _refusal(self, name: str, source: str, flat: Mapping[str, Any],
                 fault: Exception) -> Refused:
        """Also named in the log, for the first fault of a plugin.

        One that was left out and answers again begins anew.
        """
        made = refusal(name, source, flat, fault)
        with self._lock:
            self.counts[f'fault {name}'] += 1
            first = name not in self._said
            self._said.add(name)
        if first:
            LOG.warning('notification refused, further ones are counted '
                        'plugin=%s event_type=%s message_id=%s reason=%s',
                        name, flat.get('event_type'), flat.get('message_id'),
                        made.reason.removeprefix(f'{name}: '))
        return made

    def _count(self, outcome: Outcome) -> Outcome:
        with self._lock:
            self.counts['notifications'] += 1
            self.counts['samples'] += len(outcome.samples)
            self.counts['refused'] += len(outcome.refused)
        return outcome


def _switched_off(plugins: Mapping[str, NotificationPlugin],
                  profiles: Collection[str]) -> dict[str, str]:
    """Why plugins are not asked: their profile is off, or others stand in."""
    found = {name: f'its profile is off: {plugin.profile}'
             for name, plugin in plugins.items()
             if isinstance(plugin, ProfiledPlugin)
             and plugin.profile not in profiles}
    for other, plugin in plugins.items():
        if other not in found and isinstance(plugin, AlternativePlugin):
            found |= {name: f'instead of it is asked: {other}'
                      for name in plugin.instead_of if name in plugins}
    return found
