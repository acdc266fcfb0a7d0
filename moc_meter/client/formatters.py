# SPDX-License-Identifier: Apache-2.0
"""Answers as JSON, YAML, CSV, plain values and tables.

Numbers keep every digit in all but the table; rows are written as they come
in all but the table.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, TextIO

from cliff.columns import FormattableColumn
from cliff.formatters import (
    commaseparated,
    json_format,
    table,
    value,
    yaml_format,
)

from moc_meter.client.columns import Quantity
from moc_meter.terminal import harmless

Row = Sequence[Any]
_Alignments = dict[type[Any], Literal['l', 'c', 'r']]


class Json(json_format.JSONFormatter):
    """A list of objects, or one; numbers as the service wrote them."""

    def emit_list(self, column_names: Sequence[str], data: Iterable[Row],
                  stdout: TextIO, parsed_args: argparse.Namespace) -> None:
        between = '[\n'
        for row in data:
            stdout.write(between + _indented(_json(
                _named(column_names, row), stdout, parsed_args)))
            between = ',\n'
        stdout.write('[]\n' if between == '[\n' else '\n]\n')

    def emit_one(self, column_names: Sequence[str], data: Row,
                 stdout: TextIO, parsed_args: argparse.Namespace) -> None:
        stdout.write(_json(_named(column_names, data), stdout, parsed_args)
                     + '\n')


def _json(found: object, stdout: TextIO, parsed_args: argparse.Namespace
          ) -> str:
    import simplejson
    said: str = simplejson.dumps(
        _raw(found), indent=None if parsed_args.noindent else 2,
        ensure_ascii=(stdout.encoding or '').lower() != 'utf-8')
    return said


def _indented(text: str) -> str:
    return '  ' + text.replace('\n', '\n  ')


def _raw(found: object) -> object:
    """The same with numbers that simplejson writes digit by digit."""
    import simplejson
    match found:
        case Decimal():
            return simplejson.RawJSON(format(found, 'f'))
        case Mapping():
            return {name: _raw(inner) for name, inner in found.items()}
        case list() | tuple():
            return [_raw(inner) for inner in found]
    return found


class Yaml(yaml_format.YAMLFormatter):
    """A list of mappings, or one."""

    def emit_list(self, column_names: Sequence[str], data: Iterable[Row],
                  stdout: TextIO, parsed_args: argparse.Namespace) -> None:
        del parsed_args
        dumped = False
        for row in data:
            dumped = True
            _yaml([_named(column_names, row)], stdout)
        if not dumped:
            stdout.write('[]\n')

    def emit_one(self, column_names: Sequence[str], data: Row,
                 stdout: TextIO, parsed_args: argparse.Namespace) -> None:
        del parsed_args
        _yaml(_named(column_names, data), stdout)


def _yaml(found: object, stdout: TextIO) -> None:
    import yaml

    class Dumper(yaml.SafeDumper):
        """With a form for decimals."""

        def ignore_aliases(self, data: Any) -> bool:
            del data
            return True

    def digits(dumper: Any, number: Decimal) -> Any:
        said = format(number, 'f')
        kind = 'float' if '.' in said else 'int'
        return dumper.represent_scalar(f'tag:yaml.org,2002:{kind}', said)

    Dumper.add_representer(Decimal, digits)
    yaml.dump(found, stdout, Dumper, default_flow_style=False,
              sort_keys=False,
              allow_unicode=(stdout.encoding or '').lower() == 'utf-8')


class Csv(commaseparated.CSVLister):
    """A line of names, then a line a row, as RFC 4180 has it."""

    def emit_list(self, column_names: Sequence[str], data: Iterable[Row],
                  stdout: TextIO, parsed_args: argparse.Namespace) -> None:
        mode = self.QUOTE_MODES[parsed_args.quote_mode]
        writer = csv.writer(
            stdout, quoting=mode, lineterminator='\n',
            escapechar='\\' if mode == csv.QUOTE_NONE else None)
        writer.writerow(column_names)
        for row in data:
            writer.writerow(map(_field, _exact(row)))


class Value(value.ValueFormatter):
    """The values alone, apart by blanks."""

    def emit_list(self, column_names: Sequence[str], data: Iterable[Row],
                  stdout: TextIO, parsed_args: argparse.Namespace) -> None:
        del column_names, parsed_args
        for row in data:
            stdout.write(' '.join(map(_word, _exact(row))) + '\n')

    def emit_one(self, column_names: Sequence[str], data: Row,
                 stdout: TextIO, parsed_args: argparse.Namespace) -> None:
        del column_names, parsed_args
        for one in _exact(data):
            stdout.write(_word(one) + '\n')


class Table(table.TableFormatter):
    """For people, on a terminal; numbers are rounded and have units."""

    ALIGNMENTS: _Alignments = {         # noqa: RUF012 - cliff declares it so
        **table.TableFormatter.ALIGNMENTS, Quantity: 'r'}

    def emit_list(self, column_names: Sequence[str], data: Iterable[Row],
                  stdout: TextIO, parsed_args: argparse.Namespace) -> None:
        rows = map(_shown, data)
        first = next(rows, None)
        if first is None and not parsed_args.print_empty:
            print('nothing found', file=sys.stderr)
            return
        super().emit_list(
            column_names, [] if first is None
            else itertools.chain([first], rows), stdout, parsed_args)

    def emit_one(self, column_names: Sequence[str], data: Row,
                 stdout: TextIO, parsed_args: argparse.Namespace) -> None:
        super().emit_one(column_names, _shown(data), stdout, parsed_args)


def _exact(row: Row) -> Iterator[Any]:
    return (cell.machine_readable() if isinstance(cell, FormattableColumn)
            else cell for cell in row)


def _named(names: Sequence[str], row: Row) -> dict[str, Any]:
    return dict(zip(names, _exact(row), strict=True))


def _shown(row: Row) -> list[Any]:
    return [harmless(cell) if isinstance(cell, str) else cell for cell in row]


def _word(found: object) -> str:
    return str(_field(found))


def _field(found: object) -> object:
    """What stands in a CSV field: text, or a number with all its digits."""
    import simplejson
    match found:
        case Decimal():
            return _Digits(found)
        case Mapping() | list() | tuple():
            return str(simplejson.dumps(_raw(found), ensure_ascii=False))
    return found


class _Digits(Decimal):
    """A number that is written without an exponent."""

    def __str__(self) -> str:
        return format(self, 'f')
