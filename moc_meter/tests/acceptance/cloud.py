# SPDX-License-Identifier: Apache-2.0
"""The services of a cloud, in one process of their own: they notify.

Standard input: a line of JSON with url and topics; then a line for each
notification, with exchange, driver and message (in its flat form). Every
topic gets the very same notifications, with one id and one instant each.
"""

from __future__ import annotations

import functools
import json
import sys
from typing import Any

import oslo_messaging
from oslo_config import cfg
from oslo_messaging import opts

from moc_meter.tests.functional.agent.notifier import Context


def main() -> None:
    options = json.loads(sys.stdin.readline())
    transport = functools.cache(functools.partial(_transport, options['url']))
    for line in sys.stdin:
        one = json.loads(line)
        message = one['message']
        oslo_messaging.Notifier(
            transport(one['exchange']), driver=one['driver'],
            publisher_id=message['publisher_id'], topics=options['topics'],
        ).info(Context({key.removeprefix('_context_'): value
                        for key, value in message.items()
                        if key.startswith('_context_')}),
               message['event_type'], message['payload'])


def _transport(url: str, exchange: str) -> Any:
    conf = cfg.ConfigOpts()
    for group, known in opts.list_opts():
        conf.register_opts(known, group=group)
    conf([], project='cloud', default_config_files=[],
         default_config_dirs=[])
    conf.set_override('control_exchange', exchange)
    return oslo_messaging.get_notification_transport(conf, url=url)


if __name__ == '__main__':
    main()
