# SPDX-License-Identifier: Apache-2.0
"""moc-meter-manage retention …"""

from __future__ import annotations

import datetime
import getpass
import socket

from oslo_config import cfg

from moc_meter import errors
from moc_meter.cmd import build, build_store
from moc_meter.cmd.manage.arguments import Group
from moc_meter.jobs.retention import border
from moc_meter.storage.samples import retention


def commands(group: Group) -> None:
    parser = group.add_command(
        'run', run, 'Drop the samples that are older than [retention] '
                    'samples, now.')
    parser.add_argument('--dry-run', action='store_true',
                        help='only say what would be dropped')
    group.add_command('journal', journal,
                      'Show what was dropped, when and by whom.')


def run(conf: cfg.ConfigOpts) -> int:
    """Says how many samples were dropped, or would be."""
    if not conf.retention.samples:
        raise errors.InvalidConfiguration(
            'samples are kept for ever', section='retention',
            option='samples', value=0)
    engine, now = build_store.engine(conf), build.now()
    until = border(datetime.timedelta(days=conf.retention.samples), now)
    if conf.command.dry_run:
        count = retention.expirable(engine, until)
        print(f'{count} samples before {until.isoformat()} would be dropped')
    else:
        count = retention.expire(
            engine, until, now, f'{getpass.getuser()}@{socket.gethostname()} '
                                'moc-meter-manage')
        print(f'{count} samples before {until.isoformat()} were dropped')
    return 0


def journal(conf: cfg.ConfigOpts) -> int:
    """One line a drop, oldest first."""
    for one in retention.journal(build_store.engine(conf)):
        done = ('not finished' if one.finished_at is None else
                f'finished={one.finished_at.isoformat()} '
                f'samples={one.samples}')
        print(f'until={one.until.isoformat()} '
              f'decided={one.decided_at.isoformat()} {done} by="{one.by}"')
    return 0
