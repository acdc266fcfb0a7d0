# SPDX-License-Identifier: Apache-2.0
"""Reading the files that a command names."""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from moc_meter import errors

_STDIN = '-'


def lines(names: Sequence[str]) -> Iterator[bytes]:
    """The lines that are not empty, with their ends."""
    for name in names:
        with _opened(name) as file:
            yield from (line for line in file if line.strip())


def documents(names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Each JSON document, and where it is: 'FILE' or 'FILE:LINE'.

    A file holds one document, or one a line.
    """
    for name in names:
        with _opened(name) as file:
            yield from _documents(name, file)


def _documents(name: str, file: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    numbered = ((f'{name}:{number}', line)
                for number, line in enumerate(file, 1) if line.strip())
    first = next(numbered, None)
    if first is None:
        return
    rest: Iterator[tuple[str, bytes]] = numbered
    if not _is_object(first[1]):
        found = list(numbered)
        if not any(_is_object(line) for _, line in found):
            yield name, b''.join([first[1], *(line for _, line in found)])
            return
        rest = iter(found)
    yield from itertools.chain([first], rest)


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def size(names: Sequence[str]) -> int | None:
    """Bytes in all; None where that is not known before the end."""
    paths = [Path(name) for name in names]
    if _STDIN in names or not all(path.is_file() for path in paths):
        return None
    return sum(path.stat().st_size for path in paths)


@contextlib.contextmanager
def _opened(name: str) -> Iterator[IO[bytes]]:
    if name == _STDIN:
        yield sys.stdin.buffer
        return
    try:
        file = Path(name).open('rb')  # noqa: SIM115 - closed below
    except OSError as fault:
        raise errors.InvalidConfiguration(
            'a file cannot be read; name one that is there, or - for '
            'standard input', file=name, reason=fault.strerror) from fault
    with file:
        yield file
