# SPDX-License-Identifier: Apache-2.0
"""The contract of a notification plugin (namespace moc_meter.notification)."""

from __future__ import annotations

import copy
import dataclasses
import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, runtime_checkable

from moc_meter.model.sample import Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One notification of another service, as the listener received it."""

    source: str                     # the deployment it came from: 'region-1'
    message_id: str
    event_type: str                 # 'volume.create.end'
    publisher_id: str               # 'volume.host-1'
    timestamp: datetime.datetime    # aware, UTC
    payload: Mapping[str, Any]      # as its service documents it
    #: the request's context; who asked is not who pays
    context: Mapping[str, Any] = field(default_factory=dict)

    def copied(self) -> Self:
        """The same, and nothing in it that can be changed is shared."""
        return dataclasses.replace(self, payload=_copied(self.payload),
                                   context=_copied(self.context))


#: What nobody can change.
_FIXED = frozenset([str, int, float, bool, type(None)])


def _copied(value: Any) -> Any:
    """As copy.deepcopy(), which takes five times as long for JSON."""
    if type(value) in _FIXED:
        return value
    if type(value) is dict:
        return {key: _copied(inner) for key, inner in value.items()}
    if type(value) is list:
        return [_copied(inner) for inner in value]
    return copy.deepcopy(value)


class NotificationPlugin(Protocol):
    """Turns notifications into samples; does nothing else.

    A plugin neither publishes nor stores nor logs: the listener does that,
    and counts and reports what the plugin raises.
    """

    @property
    def event_types(self) -> tuple[str, ...]:
        """Event types that this plugin is given: fnmatch patterns."""

    def samples(self, notification: Notification) -> Iterable[Sample]:
        """Samples of one notification; none is a good answer.

        Raises InvalidSample, KeyError or TypeError where the payload is not
        what the service documents; the listener then sets the notification
        aside.
        """


@runtime_checkable
class ProfiledPlugin(NotificationPlugin, Protocol):
    """One whose samples are all of one profile, whatever their meters are.

    Asked only where that profile is on.
    """

    @property
    def profile(self) -> str:
        """'existence', 'versioned'; see [notification] profiles."""


@runtime_checkable
class AlternativePlugin(ProfiledPlugin, Protocol):
    """One to which the same is told that others are told in another form."""

    @property
    def instead_of(self) -> tuple[str, ...]:
        """Plugins that are not asked where this one is: their names."""

    @property
    def topics(self) -> tuple[str, ...]:
        """Topics to hear besides those of [notification] topics."""
