# SPDX-License-Identifier: Apache-2.0
"""Numbers that the database has given, remembered."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

_Key = TypeVar('_Key', bound=Hashable)


class Numbers(Generic[_Key]):
    """The last used numbers, up to a limit.

    Only numbers of committed rows belong in it: those are never rolled back.
    They hold until the database is another one: emptied, restored, or a
    standby that had not heard of the last rows.
    Threads may share it: each step is one of the interpreter's, and a number
    that is missed for a moment is only asked for again.
    """

    def __init__(self, limit: int = 100_000) -> None:
        self._limit = limit
        self._numbers: dict[_Key, int] = {}

    def find(self, keys: Iterable[_Key]) -> tuple[dict[_Key, int],
                                                  set[_Key]]:
        """The numbers of those keys that have one, and the other keys."""
        found: dict[_Key, int] = {}
        missing: set[_Key] = set()
        for key in keys:
            number = self._numbers.pop(key, found.get(key))
            if number is None:
                missing.add(key)
            else:
                # Put back, it is the last used one.
                self._numbers[key] = found[key] = number
        return found, missing

    def put(self, key: _Key, number: int) -> None:
        self._numbers[key] = number
        if len(self._numbers) > self._limit:
            self._numbers.pop(next(iter(self._numbers)), None)
