# SPDX-License-Identifier: Apache-2.0
"""moc-meter: the command of those who use a service, or check one.

Its commands are entry points of moc_meter_cli; only the module of the one
that is run is imported.
"""

from __future__ import annotations

import argparse
import difflib
import functools
import inspect
import io
import itertools
import logging
import os
import sys
import traceback
from importlib import metadata
from typing import TYPE_CHECKING, Any

import stevedore
from cliff import app, commandmanager
from cliff.command import Command

from moc_meter import errors
from moc_meter.cmd import access, exits

if TYPE_CHECKING:
    from moc_meter.client.client import Client

NAME = 'moc-meter'
COMMANDS = 'moc_meter_cli'
_ABOUT = 'Metering and accounting for OpenStack clouds, from the command line.'


class Shell(app.App):
    """One command and its end; what goes wrong is a line on stderr."""

    NAME = NAME

    def __init__(self) -> None:
        self.options = argparse.Namespace()
        self.client_manager = _Services(self)
        super().__init__(_ABOUT, None, Commands(COMMANDS))
        # Cliff adds its own; "--help" is enough, and so is our "complete".
        self.command_manager.commands.clear()
        self.command_manager.load_commands(COMMANDS)

    def build_option_parser(
            self, description: str | None, version: str | None,
            argparse_kwargs: dict[str, Any] | None = None
            ) -> argparse.ArgumentParser:
        del version, argparse_kwargs
        parser = argparse.ArgumentParser(
            prog=NAME, description=description, add_help=False,
            usage='%(prog)s [OPTION …] COMMAND …',
            epilog='"%(prog)s COMMAND --help" tells all of a command.')
        parser.add_argument('-h', '--help', action='store_true',
                            help='show this')
        parser.add_argument('--version', action='store_true',
                            help='show the version of this program')
        access.arguments(parser)
        vars(parser)['error'] = functools.partial(_refuse, parser)
        parser.add_argument('command', nargs=argparse.REMAINDER,
                            help=argparse.SUPPRESS)
        return parser

    def run(self, argv: list[str]) -> int:
        if isinstance(sys.stdout, io.TextIOWrapper):
            # What an encoding lacks is better than nothing.
            sys.stdout.reconfigure(errors='backslashreplace')
        try:
            status = self._run(argv)
            sys.stdout.flush()
        except BrokenPipeError:
            # Who reads our output has read enough; what is left goes nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return exits.PIPE
        except Exception as fault:
            if 'debug' in self.options or not exits.foreseen(fault):
                traceback.print_exc()
            print(f'{NAME}: {exits.line(fault)}', file=sys.stderr)
            return exits.status(fault)
        return status

    def _run(self, argv: list[str]) -> int:
        if sys.stdout is None:
            raise errors.InvalidConfiguration(
                'stdout is closed; where nobody reads it, say >/dev/null')
        self.parser.parse_args(argv, self.options)
        if self.options.version:
            print(NAME, metadata.version('moc_meter'))
            return exits.DONE
        if self.options.help and not self.options.command:
            self._overview()
            return exits.DONE
        return self.run_subcommand(self.options.command
                                   + ['--help'] * self.options.help)

    def run_subcommand(self, argv: list[str]) -> int:
        made, name, rest = self.command(argv)
        parser = self.parser_of(made, name)
        asked = parser.parse_args(rest)
        vars(self.options).update(access.given(asked))
        logging.basicConfig(
            format='%(message)s', stream=sys.stderr,
            level=logging.DEBUG if 'debug' in self.options else logging.ERROR)
        try:
            return made.run(asked)
        except UnicodeEncodeError as fault:
            raise errors.InvalidQuery('an option is no text of this terminal',
                                      value=fault.object) from None
        finally:
            self.client_manager.close()

    def command(self, argv: list[str]
                ) -> tuple[Command, str, list[str]]:
        """The command that is meant, its name, and what follows it."""
        try:
            found, name, rest = self.command_manager.find_command(argv)
        except ValueError:
            raise self._unknown(argv) from None
        return found(self, self.options), name, rest

    def parser_of(self, made: Command, name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = made.get_parser(f'{NAME} {name}')
        if getattr(made, 'connects', False):
            access.arguments(parser)
        vars(parser)['error'] = functools.partial(_refuse, parser)
        return parser

    def _unknown(self, argv: list[str]) -> errors.InvalidQuery:
        words = [*itertools.takewhile(lambda word: word[:1] != '-', argv)]
        asked = ' '.join(words)
        known = sorted(name for name, _ in self.command_manager)
        near = ([name for name in known if words and name.split()[0] in words]
                or difflib.get_close_matches(asked, known, 3))
        return errors.InvalidQuery(
            'no such command' if words else 'a command is missing',
            **({'command': asked} if words else {}),
            try_instead=near or [f'{NAME} --help'])

    def _overview(self) -> None:
        self.parser.print_help()
        print('\ncommands:')
        width = max(len(name) for name, _ in self.command_manager)
        for name, entry in sorted(self.command_manager):
            about = (inspect.getdoc(entry.load()) or '').split('\n')[0]
            print(f'  {name:{width}}  {about.rstrip(".")}')


def _refuse(parser: argparse.ArgumentParser, message: str) -> None:
    """What argparse does not like: a line, not the list of all options."""
    print(f'{parser.prog}: {message}; see {parser.prog} --help',
          file=sys.stderr)
    raise SystemExit(exits.REFUSED)


class Commands(commandmanager.CommandManager):
    """Commands by name; none is imported before it is asked for."""

    def load_commands(self, namespace: str) -> None:
        manager: Any = stevedore.NamedExtensionManager(namespace, names=[])
        for entry in manager.list_entry_points():
            self.commands[entry.name.replace('_', ' ')] = entry


class _Services:
    """Where commands find their services, as in OpenStackClient."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    @functools.cached_property
    def metering(self) -> Client:
        return access.connect(self._shell.options)

    def close(self) -> None:
        """Hang up, where anything was asked at all."""
        if (made := vars(self).get('metering')) is not None:
            made.close()
