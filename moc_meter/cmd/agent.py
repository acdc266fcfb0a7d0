# SPDX-License-Identifier: Apache-2.0
"""moc-meter-agent: hears notifications, polls, publishes samples."""

from __future__ import annotations

import sys

from oslo_config import cfg

from moc_meter import errors
from moc_meter.cmd import build, process

NAME = 'moc-meter-agent'


def main() -> int:
    """Entry point."""
    return process.main(NAME, _start)


def _start(conf: cfg.ConfigOpts) -> int:
    publisher = build.publisher(conf)
    wanted = build.sources(conf, publisher, build.hypervisor(conf))
    if not wanted:
        raise errors.InvalidConfiguration(
            'nothing to do: neither [notification] url nor anything to poll '
            'is set')
    return process.serve(wanted, {'publisher': process.closing(publisher)})


if __name__ == '__main__':
    sys.exit(main())
