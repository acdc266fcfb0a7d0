# SPDX-License-Identifier: Apache-2.0
"""What all commands that ask a service share.

They are plain cliff commands: any application runs them whose
``client_manager.metering`` is a Client.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from cliff import _argparse as parsers
from cliff import command, lister, show

from moc_meter import errors
from moc_meter.client import columns, times
from moc_meter.client.columns import Column
from moc_meter.client.commands import options
from moc_meter.progress import Progress

if TYPE_CHECKING:
    from moc_meter.client.client import Client


class Help(parsers.SmartHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Examples stand in help as they were written."""


class Asking(command.Command):
    """A command that asks a service."""

    #: Moc-meter's own options of the connection are for it.
    connects: ClassVar[bool] = True
    #: What may follow the name of the command.
    examples: ClassVar[Sequence[str]]
    app: Any

    @property
    def client(self) -> Client:
        made: Client = self.app.client_manager.metering
        return made

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add those of the command."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.formatter_class = Help
        parser.epilog = '\n'.join(('Examples::', '', *(
            f'    {prog_name} {example}'.rstrip()
            for example in self.examples)))
        vars(parser)['_negative_number_matcher'] = times.NEGATIVE
        groups = parser._action_groups
        others = groups[2:]
        self.arguments(parser)
        # What is the command's own is read first.
        groups[2:] = [*groups[2 + len(others):], *others]
        return parser

    def get_epilog(self) -> str:
        # Cliff's reads the lists of files of all that is installed.
        return ''


class Displaying(Asking):
    """With rows in a form that is asked for."""

    columns: ClassVar[Sequence[Column]]

    def columns_of(self, asked: argparse.Namespace) -> Sequence[Column]:
        """The columns of this answer."""
        del asked
        return self.columns

    def _generate_columns_and_selector(
            self, parsed_args: argparse.Namespace,
            column_names: Sequence[str]
            ) -> tuple[list[str], list[bool] | None]:
        _known('--column', parsed_args.columns, column_names)
        chosen: tuple[list[str], list[bool] | None] = (
            super()._generate_columns_and_selector(  # type: ignore[misc]
                parsed_args, column_names))
        return chosen


class Listing(Displaying, lister.Lister):
    """Many items, a row each."""

    @property
    def formatter_namespace(self) -> str:
        return 'moc_meter_formatter.list'

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        options.zone(parser)
        parser.add_argument('--long', action='store_true',
                            help='all columns in a table too')
        return parser

    def items(self, asked: argparse.Namespace) -> Iterable[Any]:
        """What is listed, as the service hands it out."""
        raise NotImplementedError

    def take_action(self, parsed_args: argparse.Namespace
                    ) -> tuple[list[str], Iterator[tuple[object, ...]]]:
        shown = self.columns_of(parsed_args)
        if (parsed_args.formatter == 'table' and not parsed_args.columns
                and not parsed_args.long):
            parsed_args.columns = [column.name for column in shown
                                   if not column.long]
        zone = options.zone_of(parsed_args)
        names = [column.name for column in shown]
        _known('--sort-column', parsed_args.sort_columns, names)
        items = self.items(parsed_args)
        # What is written meanwhile, or by a pager at the end of a pipe, would
        # be on the same terminal.
        if sys.stdout.seekable() or (parsed_args.formatter == 'table'
                                     and sys.stdout.isatty()):
            items = counted(items)
        return names, columns.rows(items, shown, zone)


class Showing(Displaying, show.ShowOne):
    """One item, a line a field."""

    @property
    def formatter_namespace(self) -> str:
        return 'moc_meter_formatter.show'

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        options.zone(parser)
        return parser

    def item(self, asked: argparse.Namespace) -> Any:
        """What is shown."""
        raise NotImplementedError

    def take_action(self, parsed_args: argparse.Namespace
                    ) -> tuple[list[str], tuple[object, ...]]:
        zone = options.zone_of(parsed_args)
        item = self.item(parsed_args)
        shown = self.columns_of(parsed_args)
        return ([column.name for column in shown],
                tuple(column.cell(item, zone) for column in shown))


def _known(option: str, asked: Iterable[str], names: Sequence[str]) -> None:
    """Raise InvalidQuery where a column is asked for that there is not."""
    known = {name.lower() for name in names}
    for name in asked:
        if name.lower().strip().replace(' ', '_') not in known:
            raise errors.InvalidQuery('no such column', option=option,
                                      value=name, allowed=tuple(names))


def counted(items: Iterable[Any]) -> Iterator[Any]:
    """The same; how many there were so far is told on a terminal."""
    with Progress(None) as progress:
        for item in items:
            yield item
            progress.advance(1)
