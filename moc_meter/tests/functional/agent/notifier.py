# SPDX-License-Identifier: Apache-2.0
"""A service of the cloud, in a process of its own: notifies and ends.

Standard input: a line of JSON with url, driver, exchange and options of
[oslo_messaging_rabbit]; then a line for each notification, in its flat form.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import oslo_messaging
from oslo_config import cfg
from oslo_messaging import opts


class Context(dict[str, Any]):
    """A request's; oslo.messaging sends what it lets out, of a dict nothing.
    """

    def redacted_copy(self) -> dict[str, Any]:
        return {**self, 'auth_token': None}


def main() -> None:
    options, *messages = (json.loads(line) for line in sys.stdin)
    conf = cfg.ConfigOpts()
    for group, known in opts.list_opts():
        conf.register_opts(known, group=group)
    conf([], project='cloud', default_config_files=[],
         default_config_dirs=[])
    conf.set_override('control_exchange', options['exchange'])
    for name, value in options['rabbit'].items():
        conf.set_override(name, value, group='oslo_messaging_rabbit')
    transport = oslo_messaging.get_notification_transport(
        conf, url=options['url'])
    for message in messages:
        _notify(transport, options['driver'], message)
    transport.cleanup()


def _notify(transport: Any, driver: str, message: dict[str, Any]) -> None:
    notifier = oslo_messaging.Notifier(
        transport, publisher_id=message['publisher_id'], driver=driver,
        topics=['notifications'])
    notifier.info(Context({key.removeprefix('_context_'): value
                           for key, value in message.items()
                           if key.startswith('_context_')}),
                  message['event_type'], message['payload'])


if __name__ == '__main__':
    main()
