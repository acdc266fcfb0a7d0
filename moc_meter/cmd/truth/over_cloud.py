# SPDX-License-Identifier: Apache-2.0
"""Notifications to a cloud's bus, as oslo.messaging puts them there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import oslo_messaging
from kombu import exceptions as kombu
from oslo_config import cfg
from oslo_messaging import opts

from moc_meter import errors
from moc_meter.cmd.truth import address
from moc_meter.truth.notifications import Notification

_CONTEXT = '_context_'
#: Attempts of oslo.messaging to reach the bus.
_RETRIES = 5


class OverCloud:
    """In the name of every service: each has an exchange of its own.

    A Notifier would give each an id and an instant of the moment, and goes
    on where the bus did not take it. So its driver's part is done here: a
    message with the id of its world, in the envelope of version 2.
    """

    complete = True     # what is not taken is an error

    def __init__(self, url: str, topics: Sequence[str]) -> None:
        self.counts: Counter[str] = Counter()
        self._url = url
        self._topics = topics
        self._transports: dict[str, Any] = {}

    def send(self, notifications: Sequence[Notification]) -> None:
        """Raises BusUnavailable where the bus does not take one."""
        for one in notifications:
            message = {key: value for key, value in one.message.items()
                       if not key.startswith(_CONTEXT)}
            context = {key.removeprefix(_CONTEXT): value
                       for key, value in one.message.items()
                       if key.startswith(_CONTEXT)}
            priority = str(message['priority']).lower()
            for topic in self._topics:
                self._send(one.exchange, f'{topic}.{priority}', context,
                           message)
        self.counts['confirmed'] += len(notifications)

    def close(self) -> None:
        for transport in self._transports.values():
            transport.cleanup()

    def _send(self, exchange: str, topic: str, context: dict[str, Any],
              message: dict[str, Any]) -> None:
        try:
            self._transport(exchange)._send_notification(
                oslo_messaging.Target(topic=topic), context, message,
                version=2.0, retry=_RETRIES)
        except (oslo_messaging.MessageDeliveryFailure,
                kombu.OperationalError) as fault:
            raise errors.BusUnavailable(
                "the cloud's bus does not take a notification; is the "
                'broker running there?', option='--notifications',
                reason=str(fault)) from fault

    def _transport(self, exchange: str) -> Any:
        if exchange not in self._transports:
            conf = cfg.ConfigOpts()
            for group, known in opts.list_opts():
                conf.register_opts(known, group=group)
            conf([], project='moc_meter', default_config_files=[],
                 default_config_dirs=[])
            conf.set_override('control_exchange', exchange)
            try:
                self._transports[exchange] = (
                    oslo_messaging.get_notification_transport(
                        conf, url=self._url))
            except (oslo_messaging.DriverLoadFailure,
                    oslo_messaging.InvalidTransportURL, ValueError):
                # What they say may be a part of a password.
                raise errors.InvalidConfiguration(
                    "not the URL of a cloud's bus; "
                    'rabbit://USER:PASSWORD@HOST:PORT/ is',
                    option='--notifications',
                    value=address.bare(self._url)) from None
        return self._transports[exchange]
