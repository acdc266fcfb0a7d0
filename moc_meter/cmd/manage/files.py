# SPDX-License-Identifier: Apache-2.0
"""Reading the files that a command names."""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from moc_meter import errors

_STDIN = '-'
#: Longest document that is more than a line, in bytes.
_LONGEST = 16 * 1024 * 1024


def lines(names: Sequence[str]) -> Iterator[bytes]:
    """The lines that are not empty, with their ends."""
    for name in names:
        with _opened(name) as file:
            yield from (line for line in file if line.strip())


def documents(names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Each JSON document, and where it is: 'FILE' or 'FILE:LINE'.

    A file holds one document, or one a line. What is neither is shown by
    line where one of them is an object, else as a whole.
    """
    for name in names:
        with _opened(name) as file:
            yield from _documents(name, file)


def _documents(name: str, file: Iterable[bytes]
               ) -> Iterator[tuple[str, bytes]]:
    numbered = ((f'{name}:{number}', line)
                for number, line in enumerate(file, 1) if line.strip())
    begin: list[tuple[str, bytes]] = []
    room = _LONGEST
    for place, line in numbered:
        begin.append((place, line))
        room -= len(line)
        if room < 0 or (len(begin) == 1 and isinstance(_read(line), dict)):
            break
    else:
        whole = b''.join(line for _, line in begin)
        if whole and (_read(whole) is not None or not any(
                isinstance(_read(line), dict) for _, line in begin)):
            yield name, whole
            return
    yield from itertools.chain(begin, numbered)


def _read(document: bytes) -> object:
    """What JSON says; None where it is none."""
    try:
        return json.loads(document)
    except (ValueError, RecursionError):
        return None


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
