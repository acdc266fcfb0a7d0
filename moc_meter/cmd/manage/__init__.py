# SPDX-License-Identifier: Apache-2.0
"""moc-meter-manage: the operator's command."""

from __future__ import annotations

import os
import sys
from typing import Any

from oslo_config import cfg
from oslo_log import log

from moc_meter.cmd import process
from moc_meter.cmd.manage import (
    db,
    notification,
    plugin,
    quarantine,
    retention,
    rollup,
    sample,
    statistics,
)
from moc_meter.cmd.manage.arguments import INTERRUPTED, Group

NAME = 'moc-meter-manage'


def main() -> int:
    """Entry point."""
    try:
        return process.main(NAME, _start, cli=[cfg.SubCommandOpt(
            'command', title='commands', handler=_commands,
            help='What to do; each has a --help of its own.')])
    except KeyboardInterrupt:
        print(f'{NAME}: interrupted', file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Who reads our output has read enough; what is left goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _start(conf: cfg.ConfigOpts) -> int:
    # Standard output is for what was asked, and may be read by a program.
    conf.set_override('use_stderr', True)
    log.setup(conf, 'moc_meter')
    run: Any = conf.command.run
    status: int = run(conf)
    return status


def _commands(commands: Any) -> None:
    for add, name, about in (
            (db.commands, 'db', 'the database'),
            (notification.commands, 'notification', 'captured notifications'),
            (plugin.commands, 'plugin', 'what is docked on'),
            (quarantine.commands, 'quarantine', 'what was refused'),
            (retention.commands, 'retention', 'how long samples are kept'),
            (rollup.commands, 'rollup', 'the rollups by hour, day and month'),
            (sample.commands, 'sample', 'samples in files'),
            (statistics.commands, 'statistics', 'where answers come from')):
        add(Group(commands, name, about))
