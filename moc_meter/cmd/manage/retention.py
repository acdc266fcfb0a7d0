# SPDX-License-Identifier: Apache-2.0
"""moc-meter-manage retention …"""

from __future__ import annotations

import os
import pwd
import socket
import threading

from oslo_config import cfg

from moc_meter import errors
from moc_meter.cmd import build, build_store
from moc_meter.cmd.manage.arguments import Group
from moc_meter.jobs.retention import border
from moc_meter.storage.samples import retention


def commands(group: Group) -> None:
    parser = group.add_command(
        'run', run, 'Drop the samples and the events that are older than '
                    '[retention] says, now.')
    parser.add_argument('--dry-run', action='store_true',
                        help='only say what would be dropped')
    group.add_command('journal', journal,
                      'Show what was dropped, when and by whom.')


def run(conf: cfg.ConfigOpts) -> int:
    """Says how many samples and events were dropped, or would be."""
    ages = build_store.ages(conf)
    if not ages:
        raise errors.InvalidConfiguration(
            'samples and events are kept for ever; say for how many days '
            'to keep them', section='retention',
            options=['samples', 'events'])
    engine, now = build_store.checked_engine(conf), build.now()
    by = f'{user(os.getuid())}@{socket.gethostname()} moc-meter-manage'
    for level, keep in ages.items():
        until = border(keep, now)
        if conf.command.dry_run:
            count = retention.expirable(engine, level, until)
            print(f'{count} {level} before {until.isoformat()} would be '
                  'dropped')
        else:
            count = retention.expire(engine, level, until, now, by,
                                     threading.Event())
            print(f'{count} {level} before {until.isoformat()} were dropped')
    return 0


def user(uid: int) -> str:
    """The name of a user; in a container there may be none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f'uid {uid}'


def journal(conf: cfg.ConfigOpts) -> int:
    """One line a drop, oldest first."""
    for one in retention.journal(build_store.checked_engine(conf)):
        done = ('not finished' if one.finished_at is None else
                f'finished={one.finished_at.isoformat()} '
                f'{one.level}={one.dropped}')
        print(f'level={one.level} until={one.until.isoformat()} '
              f'decided={one.decided_at.isoformat()} {done} by="{one.by}"')
    return 0
