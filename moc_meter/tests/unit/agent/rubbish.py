# SPDX-License-Identifier: Apache-2.0
"""What a stranger's plugin may give instead of samples, and raise."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from moc_meter import errors


class _Fails(dict[str, object]):
    """Metadata that cannot be read."""

    def __init__(self, fault: BaseException) -> None:
        super().__init__(a=1)
        self._fault = fault

    def items(self) -> Any:
        raise self._fault


class _Unread(Mapping[str, object]):
    """Metadata that cannot even be walked."""

    def __getitem__(self, _: str) -> object:
        raise OSError

    def __iter__(self) -> Iterator[str]:
        raise OSError

    def __len__(self) -> int:
        return 1


class _Unspoken:
    def __repr__(self) -> str:
        raise ValueError


class UnspokenFault(errors.MeterError):
    """One that cannot be told, with a code that is none."""

    code: Any = 7

    def __repr__(self) -> str:
        raise Ends

    __str__ = __repr__


class _NamelessType(type):
    @property
    def __name__(cls) -> str:   # type: ignore[override]
        raise Ends


class NamelessFault(Exception, metaclass=_NamelessType):
    """One that cannot be told, nor of which type it is."""

    def __repr__(self) -> str:
        raise Ends


class Silent:
    """Says nothing before it is let go."""

    def __init__(self, let_go: threading.Event) -> None:
        self._let_go = let_go

    def __repr__(self) -> str:
        self._let_go.wait(10)
        return 'let go'

    __str__ = __repr__


class SilentFault(Silent, Exception):
    """One that hangs when it is told."""


class SilentError(Silent, errors.InvalidSample):
    """The same, as a kind of one of our errors."""


class Ends(BaseException):
    """Neither a fault nor an exit that anybody knows."""


def _deep() -> dict[str, object]:
    deep: dict[str, object] = {}
    for _ in range(5000):
        deep = {'a': deep}
    return deep


def _endless() -> dict[str, object]:
    endless: dict[str, object] = {}
    endless['a'] = endless
    return endless


_TIME = datetime.time(1, tzinfo=datetime.UTC)
_NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)

_METADATA: list[object] = [
    [], {1: 2}, {'a': b'x'}, {'a': {1, 2}}, {'a': Decimal(1)},
    {'a': _Unspoken()}, {'a': [object()]}, _deep(), _endless()]
#: Fields of a sample that it may be made with, but that are none.
FIELDS: list[dict[str, Any]] = [
    {'resource_id': 1}, {'project_id': b'p'}, {'kind': 'gauge'},
    {'timestamp': _TIME}, {'counter_start': _TIME}, {'sequence': 'x'},
    {'interval': (_NOON,)}, {'interval': (_NOON, _TIME)}, {'rounded': 1},
    {'is_event': 'yes'},
    *({'metadata': metadata} for metadata in _METADATA)]
#: Metadata that breaks whoever reads it.
BREAKING: list[Callable[[], Mapping[str, object]]] = [
    lambda: _Fails(OSError()), lambda: _Fails(SystemExit(3)),
    lambda: _Fails(KeyboardInterrupt()), lambda: _Fails(Ends()),
    lambda: _Fails(UnspokenFault('x')), _Unread]
