# SPDX-License-Identifier: Apache-2.0
"""moc-meter-collector: from the bus into the store."""

from __future__ import annotations

import sys

from oslo_config import cfg

from moc_meter.cmd import build, process

NAME = 'moc-meter-collector'


def main() -> int:
    """Entry point."""
    return process.main(NAME, _start)


def _start(conf: cfg.ConfigOpts) -> int:
    receiver, store = build.bus(conf).receiver(), build.store(conf)
    build.settle(receiver.check)
    build.settle(store.ping)
    collector = build.collector(conf, receiver, store)
    return process.serve({'collector': collector.run})


if __name__ == '__main__':
    sys.exit(main())
