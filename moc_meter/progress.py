# SPDX-License-Identifier: Apache-2.0
"""How far a command is: a bar on stderr, where that is a terminal."""

from __future__ import annotations

import sys
import time

_SECONDS = 0.1
_WIDTH = 40


class Progress:
    """So much of a whole is done; ``with`` takes the bar away at the end."""

    def __init__(self, whole: int | None) -> None:
        """whole: in any unit; None where it is not known."""
        self._whole = whole
        self._done = 0
        self._next = 0.0
        self._drawn = False

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._drawn:
            print('\r\033[K', end='', file=sys.stderr, flush=True)

    def advance(self, by: int) -> None:
        self._done += by
        now = time.monotonic()
        if now >= self._next and sys.stderr.isatty():
            self._next, self._drawn = now + _SECONDS, True
            print(f'\r\033[K{self._text()}', end='', file=sys.stderr,
                  flush=True)

    def _text(self) -> str:
        if not self._whole:
            return f'{self._done:,}'
        part = min(self._done / self._whole, 1.0)
        return f'[{"#" * int(part * _WIDTH):{_WIDTH}}] {part:4.0%}'
