# SPDX-License-Identifier: Apache-2.0
"""The captured notifications, and what must come of them.

The services send them anew: the id of a notification and its instant are
those of the sending, all else is as it was captured.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from moc_meter.agent.notification import message
from moc_meter.tests.unit.agent.notification import captured

#: What stands where a sample has the instant of the sending.
SENT = 'sent'

_EXCHANGES = {'http': 'swift'}      # whose middleware says these


@dataclass(frozen=True, slots=True)
class Captured:
    """One notification."""

    exchange: str
    flat: dict[str, Any]
    samples: list[tuple[Any, ...]]      # spelled; of the default profiles


def notifications() -> Iterator[Captured]:
    for name in captured.CAPTURED:
        service = name.removeprefix('wire-v2-').partition('-')[0]
        flat = captured.flat(name)
        yield Captured(
            _EXCHANGES.get(service, service), flat,
            [_expected(one, flat, captured.user_metadata(name) or {})
             for one in captured.expected(name, *captured.DEFAULT)])


def _expected(one: Mapping[str, Any], flat: Mapping[str, Any],
              owners: Mapping[str, str]) -> tuple[Any, ...]:
    at = message.instant(one['timestamp'])
    sent = (at == message.instant(flat['timestamp'])
            and flat['payload'].get('timestamp') != flat['timestamp'])
    return (one['name'], one['resource_id'], one['type'], one['unit'],
            one['project_id'] or '', one['user_id'] or '',
            SENT if sent else str(at),
            sorted((f'user_metadata.{key}', value)
                   for key, value in owners.items()), one['volume'])


def spelled(answered: Sequence[Mapping[str, Any]],
            since: datetime.datetime, until: datetime.datetime
            ) -> list[tuple[Any, ...]]:
    """Samples that the API answered, in the order of their spelling.

    since, until: when the notifications were sent.
    """
    def spell(one: Mapping[str, Any]) -> tuple[Any, ...]:
        at = message.instant(one['timestamp'])
        assert at is not None
        return (one['meter'], one['resource_id'], one['type'], one['unit'],
                one['project_id'] or '', one['user_id'] or '',
                SENT if since <= at <= until else str(at),
                sorted((key, value) for key, value in one['metadata'].items()
                       if key.startswith('user_metadata')), one['volume'])
    return sorted(map(spell, answered))
