# SPDX-License-Identifier: Apache-2.0
"""moc-meter-api: the REST API, served by this process itself.

Any other WSGI server takes ``moc_meter.cmd.wsgi:application``.
"""

from __future__ import annotations

import sys

from oslo_config import cfg

from moc_meter.api.app import Application
from moc_meter.cmd import build, build_api, build_store, process
from moc_meter.messaging.base import Sender
from moc_meter.storage.samples.base import SampleStore

NAME = 'moc-meter-api'


def main() -> int:
    """Entry point."""
    return process.main(NAME, _start)


def application(conf: cfg.ConfigOpts) -> Application:
    """The API on the store and the bus that the options name.

    Nothing is connected yet: a WSGI server may fork afterwards. Where that
    listens is not known here, so somebody must be asked who they are.
    """
    build_api.check_open(conf)
    return build_api.application(conf, *_ends(conf))


def _ends(conf: cfg.ConfigOpts) -> tuple[SampleStore, Sender]:
    return (build_store.store(conf, conf.database.statement_timeout),
            build.bus(conf).sender())


def _start(conf: cfg.ConfigOpts) -> int:
    store, sender = _ends(conf)
    build.settle(sender.check)
    build.settle(store.ping)
    server = build_api.server(
        conf, build_api.application(conf, store, sender))
    print(f'moc_meter listens on {server.url}', flush=True)
    return process.serve({'api': server.run})


if __name__ == '__main__':
    sys.exit(main())
