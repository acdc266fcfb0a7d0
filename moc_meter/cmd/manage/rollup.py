# SPDX-License-Identifier: Apache-2.0
"""moc-meter-manage rollup …"""

from __future__ import annotations

from oslo_config import cfg

from moc_meter.cmd import build
from moc_meter.storage.samples import rollups


def verify(conf: cfg.ConfigOpts) -> int:
    """One line a difference; status 0 where there is none."""
    found = 0
    for difference in rollups.verify(build.engine(conf),
                                     start=conf.command.start,
                                     end=conf.command.end):
        print(difference)
        found += 1
    print(f'{found} differences')
    return 1 if found else 0


def rebuild(conf: cfg.ConfigOpts) -> int:
    """Says how many cells were replaced."""
    engine = build.engine(conf)
    if conf.command.dry_run:
        return verify(conf)
    count = rollups.rebuild(engine, start=conf.command.start,
                            end=conf.command.end)
    print(f'{count} cells replaced')
    return 0
