# SPDX-License-Identifier: Apache-2.0
"""moc-meter-manage rollup …"""

from __future__ import annotations

from oslo_config import cfg

from moc_meter.cmd import build_store
from moc_meter.cmd.manage import arguments
from moc_meter.cmd.manage.arguments import Group
from moc_meter.storage.samples import rollups


def commands(group: Group) -> None:
    verify_ = group.add_command(
        'verify', verify, 'Show where rollups differ from their samples.',
        '0: nowhere; 1: somewhere')
    rebuild_ = group.add_command(
        'rebuild', rebuild, 'Replace rollups that differ from their samples.',
        '0: done; 1: with --dry-run, some differ')
    for parser in (verify_, rebuild_):
        arguments.bounds(parser, '; widened to whole months, and for hours '
                         'to whole days')
    rebuild_.add_argument('--dry-run', action='store_true',
                          help='only say what would be replaced')


def verify(conf: cfg.ConfigOpts) -> int:
    """One line a difference; status 0 where there is none."""
    start, end = arguments.between(conf.command)
    engine = build_store.checked_engine(conf)
    found = 0
    for difference in rollups.verify(engine, start=start, end=end):
        print(difference)
        found += 1
    print(f'{found} differences')
    unprovable = rollups.unprovable(engine, start=start, end=end)
    if unprovable:
        print(f'{unprovable} cells cannot be verified: their samples were '
              'dropped')
    return 1 if found else 0


def rebuild(conf: cfg.ConfigOpts) -> int:
    """Says how many cells were replaced."""
    if conf.command.dry_run:
        return verify(conf)
    start, end = arguments.between(conf.command)
    count = rollups.rebuild(build_store.checked_engine(conf), start=start,
                            end=end)
    print(f'{count} cells replaced')
    return 0
