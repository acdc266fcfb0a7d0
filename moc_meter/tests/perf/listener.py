# SPDX-License-Identifier: Apache-2.0
"""A bare listener of oslo.messaging, which counts what it hears.

python -m moc_meter.tests.perf.listener URL EXCHANGE EACH

Its endpoint does nothing but count. Prints a line whenever it has heard EACH
more notifications; it ends when it is ended.
"""

from __future__ import annotations

import sys
import threading

import oslo_messaging
from oslo_config import cfg


class Counter:
    """An endpoint; several threads of the listener call it."""

    def __init__(self, each: int) -> None:
        self._each = each
        self._heard = 0
        self._lock = threading.Lock()

    def info(self, *_: object) -> None:
        with self._lock:
            self._heard += 1
            if not self._heard % self._each:
                print(self._heard, flush=True)


def main(url: str, exchange: str, each: str) -> None:
    conf = cfg.ConfigOpts()
    conf([], project='listener', default_config_files=[],
         default_config_dirs=[])
    server = oslo_messaging.get_notification_listener(
        oslo_messaging.get_notification_transport(conf, url=url),
        [oslo_messaging.Target(exchange=exchange, topic='notifications')],
        [Counter(int(each))], executor='threading')
    server.start()
    print('listening', flush=True)
    threading.Event().wait()


if __name__ == '__main__':
    main(*sys.argv[1:])
