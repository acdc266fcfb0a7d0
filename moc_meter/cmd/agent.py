# SPDX-License-Identifier: Apache-2.0
"""moc-meter-agent: hears notifications, polls, publishes samples."""

from __future__ import annotations

import sys

from oslo_config import cfg

from moc_meter import errors
from moc_meter.cmd import build_agent, process
from moc_meter.cmd.selfreport import Report

NAME = 'moc-meter-agent'


def main() -> int:
    """Entry point."""
    return process.main(NAME, _start)


def _start(conf: cfg.ConfigOpts) -> int:
    report = Report(conf.agent.metrics_port)
    publisher = build_agent.publisher(conf, report)
    wanted = build_agent.sources(
        conf, publisher, build_agent.hypervisor(conf), report)
    if not wanted:
        raise errors.InvalidConfiguration(
            'nothing to do: neither [notification] url nor anything to poll '
            'is set')
    return process.serve(wanted, {'publisher': process.closing(publisher)},
                         report.services())


if __name__ == '__main__':
    sys.exit(main())
