# SPDX-License-Identifier: Apache-2.0
"""Machine formats lose nothing; tables obey no name."""

from __future__ import annotations

import argparse
import csv
import datetime
import io
import json
import operator
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest
import yaml
from cliff.formatters.base import ListFormatter
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcswidth

from moc_meter.client import columns, formatters
from moc_meter.client.columns import Column

DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=9,
                       min_value=-10 ** 40, max_value=10 ** 40)
#: YAML's own reader takes these for breaks of a line.
TEXTS = st.text(st.characters(codec='utf-8', exclude_characters='\x85'))
ROWS = st.lists(st.tuples(DECIMALS, TEXTS, st.none() | TEXTS,
                          st.dictionaries(TEXTS, TEXTS)))
NAMES = ('number', 'text', 'perhaps', 'document')
COLUMNS = [Column(name, operator.itemgetter(place))
           for place, name in enumerate(NAMES)]


class Exact(yaml.SafeLoader):
    """Reads numbers digit by digit."""


for kind in ('int', 'float'):
    Exact.add_constructor(
        f'tag:yaml.org,2002:{kind}', lambda _, node: Decimal(node.value))


def written(formatter: ListFormatter, rows: Sequence[Any],
            encoding: str = 'utf-8') -> str:
    parser = argparse.ArgumentParser()
    formatter.add_argument_group(parser)
    kept = io.BytesIO()
    with io.TextIOWrapper(kept, encoding, newline='') as stream:
        formatter.emit_list(
            NAMES, columns.rows(rows, COLUMNS, datetime.UTC), stream,
            parser.parse_args([]))
        stream.flush()
        return kept.getvalue().decode(encoding)


def named(rows: Sequence[Any]) -> list[dict[str, Any]]:
    return [dict(zip(NAMES, row, strict=True)) for row in rows]


@given(ROWS, st.sampled_from(['utf-8', 'ascii']))
def test_json_keeps_every_digit_and_letter(rows: Sequence[Any],
                                           encoding: str) -> None:
    said = written(formatters.Json(), rows, encoding)
    assert json.loads(said, parse_float=Decimal, parse_int=Decimal) == named(
        rows)


@given(ROWS, st.sampled_from(['utf-8', 'ascii']))
def test_yaml_keeps_every_digit_and_letter(rows: Sequence[Any],
                                           encoding: str) -> None:
    said = written(formatters.Yaml(), rows, encoding)
    assert yaml.load(said, Exact) == named(rows)


@given(ROWS)
def test_csv_keeps_every_digit_and_letter(rows: Sequence[Any]) -> None:
    read = csv.DictReader(io.StringIO(written(formatters.Csv(), rows),
                                      newline=''))
    for row, found in zip(rows, read, strict=True):
        assert Decimal(found['number']) == row[0]
        assert 'E' not in found['number']
        assert (found['text'], found['perhaps']) == (row[1], row[2] or '')
        assert json.loads(found['document']) == row[3]


def test_values_are_apart_by_blanks() -> None:
    assert written(formatters.Value(), [
        (Decimal('1E-9'), 'a', None, {'k': 'v'})]) == (
        '0.000000001 a None {"k": "v"}\n')


@pytest.mark.parametrize('formatter', [
    formatters.Json(), formatters.Csv(), formatters.Value(),
    formatters.Yaml()])
def test_rows_are_written_as_they_come(formatter: ListFormatter) -> None:
    """What a list says before it breaks off is not lost."""
    stream = io.StringIO()

    def rows() -> Iterator[Sequence[Any]]:
        yield 'first',
        assert 'first' in stream.getvalue()
        yield 'second',
        assert 'first' in stream.getvalue()
        raise EOFError

    asked = argparse.Namespace(noindent=False, quote_mode='minimal')
    with pytest.raises(EOFError):
        formatter.emit_list(['name'], rows(), stream, asked)


@given(st.text(), st.dictionaries(st.text(), st.text(), max_size=3))
def test_a_table_shows_names_and_does_not_obey_them(
        text: str, document: dict[str, str]) -> None:
    for line in written(formatters.Table(), [
            (Decimal(1), text, None, document)]).split('\n'):
        assert line.isprintable()


def test_wide_letters_stand_in_their_columns() -> None:
    shown = written(formatters.Table(), [
        (Decimal(1), '猫', 'x', {}), (Decimal(22), 'cat', 'y', {})])
    assert len({wcswidth(line) for line in shown.splitlines()}) == 1
