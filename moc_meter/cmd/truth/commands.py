# SPDX-License-Identifier: Apache-2.0
"""The commands of moc-meter truth, as its shell runs them."""

from __future__ import annotations

import argparse
import importlib
import textwrap
from types import ModuleType
from typing import ClassVar

from cliff import command

from moc_meter.cmd.truth import worlds


class _Verb(command.Command):
    """One module of this package."""

    name: ClassVar[str]

    @property
    def _module(self) -> ModuleType:
        return importlib.import_module(f'moc_meter.cmd.truth.{self.name}')

    def get_description(self) -> str:
        return textwrap.fill(self._module.ABOUT, 78)

    def get_epilog(self) -> str:
        return str(self._module.EPILOG)

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        worlds.arguments(parser)
        self._module.arguments(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        status: int = self._module.run(parsed_args)
        return status


class Make(_Verb):
    """Write a made-up world to files."""

    name = 'make'


class Send(_Verb):
    """Send a made-up world to a service."""

    name = 'send'


class Check(_Verb):
    """Check what a service says of a made-up world."""

    name = 'check'


class Ask(_Verb):
    """Answer a question from the truth."""

    name = 'ask'
