# SPDX-License-Identifier: Apache-2.0
"""moc-meter-collector: from the bus into the store."""

from __future__ import annotations

import sys

from oslo_config import cfg

from moc_meter.cmd import build, build_store, process
from moc_meter.cmd.selfreport import Report

NAME = 'moc-meter-collector'


def main() -> int:
    """Entry point."""
    return process.main(NAME, _start)


def _start(conf: cfg.ConfigOpts) -> int:
    report = Report(conf.collector.metrics_port)
    receiver, store = build.bus(conf).receiver(), build_store.store(conf)
    build.settle(receiver.check)
    build.settle(store.ping)
    collector = build_store.collector(conf, receiver, store, report)
    return process.serve({'collector': collector.run}, report.services())


if __name__ == '__main__':
    sys.exit(main())
