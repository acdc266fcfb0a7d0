# SPDX-License-Identifier: Apache-2.0
"""The samples of a stream of captured notifications, by number."""

from __future__ import annotations

import datetime
import functools
from typing import Any

from moc_meter import conf
from moc_meter.agent.notification import message as envelope
from moc_meter.agent.notification.host import PluginHost
from moc_meter.cmd import build_agent
from moc_meter.model.sample import Sample
from moc_meter.tests.unit.agent.notification import captured

#: Notifications of a message: a third of those captured, with never as many
#: samples as would be divided into two messages.
SIZE = 31
#: From each to the next, so that the services' are mixed.
_STRIDE = 50
_APART = datetime.timedelta(seconds=13)


def notification(number: int) -> dict[str, Any]:
    """A captured one, as if it were sent once more and later."""
    found = _captured(number * _STRIDE % len(captured.CAPTURED))
    sent = envelope.instant(found['timestamp'])
    assert sent
    return {**found, 'message_id': f'{found["message_id"]}-{number}',
            'timestamp': (sent + number * _APART).isoformat()}


def message(number: int) -> list[Sample]:
    """What all the installed plugins make of them; none refuses any."""
    outcomes = [_host().take('region-1', notification(place))
                for place in range(number * SIZE, (number + 1) * SIZE)]
    assert not any(outcome.refused for outcome in outcomes)
    return [sample for outcome in outcomes for sample in outcome.samples]


@functools.cache
def _host() -> PluginHost:
    """As an agent has it that is not configured."""
    return build_agent.plugin_host(conf.load('moc-meter-agent', [], files=[]))


@functools.cache
def _captured(place: int) -> dict[str, Any]:
    return captured.flat(captured.CAPTURED[place])
