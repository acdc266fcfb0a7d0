# SPDX-License-Identifier: Apache-2.0
"""Cells of an answer: readable in a table, exact in every other format."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cliff.columns import FormattableColumn

from moc_meter.client import readable
from moc_meter.terminal import harmless


class Instant(FormattableColumn[Any]):
    """A moment, with the offset of the zone in which it is told."""

    def __init__(self, value: datetime.datetime, zone: datetime.tzinfo
                 ) -> None:
        super().__init__(value.astimezone(zone))

    def human_readable(self) -> str:
        shown: str = self._value.isoformat(sep=' ', timespec='seconds')
        return shown.removesuffix('+00:00') + (
            ' UTC' if shown.endswith('+00:00') else '')

    def machine_readable(self) -> str:
        return str(self._value.isoformat())


class Quantity(FormattableColumn[Any]):
    """An exact number of a unit, which may be ''."""

    def __init__(self, value: Decimal, unit: str) -> None:
        super().__init__(value)
        self._unit = unit

    def human_readable(self) -> str:
        return harmless(readable.quantity(self._value, self._unit))


class Several(FormattableColumn[Any]):
    """More than one thing in a cell; sorted by what a table shows."""

    def __lt__(self, other: object) -> bool:
        return str(self) < str(other)


class Document(Several):
    """Names and values; in a table a line each."""

    def human_readable(self) -> str:
        return '\n'.join(harmless(f'{name}={value}')
                         for name, value in self._value.items())


class Lines(Several):
    """Texts, in a table a line each."""

    def human_readable(self) -> str:
        return '\n'.join(map(harmless, self._value))


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an answer."""

    name: str
    #: What it shows of an item; the attribute of its name, if not said.
    of: Callable[[Any], object] | None = None
    #: The unit of its numbers, of an item.
    unit: Callable[[Any], str] | None = None
    #: Not in a table, unless --long asks for it.
    long: bool = False

    def cell(self, item: Any, zone: datetime.tzinfo) -> object:
        value = self.of(item) if self.of else getattr(item, self.name)
        match value:
            case datetime.datetime():
                return Instant(value, zone)
            case Decimal():
                return Quantity(value, self.unit(item) if self.unit else '')
            case Mapping():
                return Document(value)
            case list():
                return Lines(value)
        return value


def own_unit(item: Any) -> str:
    """Items that have a unit are told in it."""
    return str(item.unit)


def seconds(_: Any) -> str:
    return 's'


def rows(items: Iterable[Any], columns: Sequence[Column],
         zone: datetime.tzinfo) -> Iterator[tuple[object, ...]]:
    """A row an item, made when it is asked for."""
    return (tuple(column.cell(item, zone) for column in columns)
            for item in items)
