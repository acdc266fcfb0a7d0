# SPDX-License-Identifier: Apache-2.0
"""moc-meter-api: the REST API, served by this process itself.

Any other WSGI server takes ``moc_meter.cmd.wsgi:application``.
"""

from __future__ import annotations

import sys

from oslo_config import cfg

from moc_meter.api.app import Application
from moc_meter.cmd import build, process
from moc_meter.cmd.web import WebServer

NAME = 'moc-meter-api'


def main() -> int:
    """Entry point."""
    return process.main(NAME, _start)


def application(conf: cfg.ConfigOpts) -> Application:
    """The API on the store and the bus that the options name."""
    return build.application(
        conf, build.store(conf, conf.database.statement_timeout),
        build.bus(conf).sender())


def _start(conf: cfg.ConfigOpts) -> int:
    server = WebServer(application(conf), build.address(conf),
                       threads=conf.api.threads,
                       max_body=conf.api.max_body_mib * 2 ** 20)
    print(f'moc_meter listens on {server.url}', flush=True)
    return process.serve({'api': server.run})


if __name__ == '__main__':
    sys.exit(main())
