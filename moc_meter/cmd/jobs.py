# SPDX-License-Identifier: Apache-2.0
"""moc-meter-jobs: everything that happens without being asked."""

from __future__ import annotations

import sys

from oslo_config import cfg

from moc_meter.cmd import build_store, process

NAME = 'moc-meter-jobs'


def main() -> int:
    """Entry point."""
    return process.main(NAME, _start)


def _start(conf: cfg.ConfigOpts) -> int:
    return process.serve({'jobs': build_store.jobs(conf).run})


if __name__ == '__main__':
    sys.exit(main())
