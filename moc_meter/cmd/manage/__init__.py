# SPDX-License-Identifier: Apache-2.0
"""moc-meter-manage: the operator's command."""

from __future__ import annotations

import argparse
import datetime
import sys
from typing import Any

from oslo_config import cfg

from moc_meter.cmd import process
from moc_meter.cmd.manage import db, notification, rollup

NAME = 'moc-meter-manage'


def main() -> int:
    """Entry point."""
    return process.main(NAME, _start, cli=[cfg.SubCommandOpt(
        'command', title='commands', handler=_commands,
        help='What to do; each has a --help of its own.')])


def _start(conf: cfg.ConfigOpts) -> int:
    run: Any = conf.command.run
    status: int = run(conf)
    return status


def _commands(commands: Any) -> None:
    _Group(commands, 'db', 'the database').add_command(
        'upgrade', db.upgrade, 'Bring the schema up to this release.')
    rollups = _Group(commands, 'rollup', 'the rollups by hour and day')
    for name, run, help_text in (
            ('verify', rollup.verify,
             'Show where rollups differ from their samples; status 1 then.'),
            ('rebuild', rollup.rebuild,
             'Replace rollups that differ from their samples.')):
        parser = rollups.add_command(name, run, help_text)
        for bound, meaning in (('--start', 'first instant'),
                               ('--end', 'instant after the last')):
            parser.add_argument(
                bound, type=_instant, metavar='INSTANT',
                help=f'{meaning}, ISO 8601, UTC where it names no offset; '
                     'widened to whole days; without it there is no bound')
    parser.add_argument('--dry-run', action='store_true',
                        help='only say what would be replaced')
    replay = _Group(commands, 'notification', 'captured notifications'
                    ).add_command(
        'replay', notification.replay,
        'Send captured notifications to a running all-in-one, and say what '
        'became of their samples.')
    notification.arguments(replay)


class _Group:
    """The commands about one noun."""

    def __init__(self, commands: Any, name: str, about: str) -> None:
        parser = commands.add_parser(name, help=about, description=about)
        self._verbs = parser.add_subparsers(title='verbs', required=True,
                                            dest=f'{name}_verb')

    def add_command(self, name: str, run: Any, about: str
                    ) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = self._verbs.add_parser(
            name, help=about, description=about)
        parser.set_defaults(run=run)
        return parser


def _instant(text: str) -> datetime.datetime:
    try:
        instant = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f'not an ISO 8601 instant: {text!r}') from None
    if instant.tzinfo is None:
        return instant.replace(tzinfo=datetime.UTC)
    return instant.astimezone(datetime.UTC)


if __name__ == '__main__':
    sys.exit(main())
