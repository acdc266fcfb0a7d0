# SPDX-License-Identifier: Apache-2.0
"""Users, projects and sources: whose the samples are."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from typing import ClassVar

from moc_meter.client.columns import Column
from moc_meter.client.commands import options
from moc_meter.client.commands.base import Listing

_NARROWING = ('user', 'project', 'source', 'resource')


class _Names(Listing):
    """Ids that occur in samples."""

    noun: ClassVar[str]
    columns = (Column('id', lambda name: name),)

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        group = parser.add_argument_group('selection')
        for field in _NARROWING:
            if field != self.noun:
                group.add_argument(f'--{field}', metavar='ID',
                                   help=f'in samples of this {field}')
        options.period(parser)

    def items(self, asked: argparse.Namespace) -> Iterable[str]:
        period = options.period_of(asked)
        given = {'start': period.start, 'end': period.end, **{
            field: getattr(asked, field, None) for field in _NARROWING}}
        ask: Callable[..., Iterable[str]] = getattr(
            self.client, f'{self.noun}s')
        return ask(**{name: value for name, value in given.items()
                      if value is not None})


class ListUsers(_Names):
    """List the users that samples name."""

    noun = 'user'
    examples = ('--project genomics', '--last-month')


class ListProjects(_Names):
    """List the projects that samples name."""

    noun = 'project'
    examples = ('', '--start -7d -f value')


class ListSources(_Names):
    """List the sources that samples come from."""

    noun = 'source'
    examples = ('--project genomics',)
