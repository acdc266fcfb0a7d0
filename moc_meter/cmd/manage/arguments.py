# SPDX-License-Identifier: Apache-2.0
"""What the commands' parsers share."""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Callable
from typing import Any

from oslo_config import cfg

from moc_meter import errors
from moc_meter.api.v2 import timestamp

#: The exit status of what was interrupted, as shells have it.
INTERRUPTED = 130
#: Largest number of a row that a database may have.
_LAST_ROW = 2 ** 63 - 1
#: Does what a command line asks; returns the exit status.
Run = Callable[[cfg.ConfigOpts], int]


class Group:
    """The commands about one noun."""

    def __init__(self, commands: Any, name: str, about: str) -> None:
        parser = commands.add_parser(name, help=about, description=about)
        self._verbs = parser.add_subparsers(title='verbs', required=True,
                                            dest=f'{name}_verb')

    def add_command(self, name: str, run: Run, about: str,
                    statuses: str = '0: done') -> argparse.ArgumentParser:
        """statuses: what the exit status says, but for 2 and 130."""
        parser: argparse.ArgumentParser = self._verbs.add_parser(
            name, help=about, description=about,
            epilog=f'Exit status: {statuses}; 2: refused, with the reason '
                   f'on stderr; {INTERRUPTED}: interrupted.')
        parser.set_defaults(run=run)
        return parser


def instant(text: str) -> datetime.datetime:
    """An instant as the API reads it; without a zone it is in UTC."""
    try:
        return timestamp.parse(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f'not an ISO 8601 instant: {text!r}') from None


def row(text: str) -> int:
    """The number of a row."""
    if not (text.isascii() and text.isdecimal()
            and len(text) < 20 and int(text) <= _LAST_ROW):
        raise argparse.ArgumentTypeError(
            f'not a number from 0 to {_LAST_ROW}: {text[:40]!r}')
    return int(text)


def bounds(parser: argparse.ArgumentParser, more: str = '') -> None:
    """--start and --end."""
    for name, meaning in (('--start', 'first instant'),
                          ('--end', 'instant after the last')):
        parser.add_argument(
            name, type=instant, metavar='INSTANT',
            help=f'{meaning}, ISO 8601, UTC where it names no offset{more}; '
                 'without it there is no bound')


def between(asked: Any) -> tuple[datetime.datetime | None,
                                 datetime.datetime | None]:
    """--start and --end; raise InvalidQuery where the end is before."""
    if asked.start and asked.end and asked.start > asked.end:
        raise errors.InvalidQuery(
            '--start must not be after --end', start=asked.start.isoformat(),
            end=asked.end.isoformat())
    return asked.start, asked.end


def files(parser: argparse.ArgumentParser, what: str,
          number: str = '+') -> None:
    """FILE…"""
    parser.add_argument('files', nargs=number, metavar='FILE',
                        help=f'{what}; - is standard input')


def confirmation(parser: argparse.ArgumentParser) -> None:
    """--yes"""
    parser.add_argument('--yes', action='store_true',
                        help='do it; without this nothing is done')


def confirmed(asked: Any, deed: str) -> None:
    """Raise InvalidConfiguration where --yes was not said."""
    if not asked.yes:
        raise errors.InvalidConfiguration(
            f'this would {deed}, and cannot be undone; say --yes to do it')
