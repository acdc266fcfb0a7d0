# SPDX-License-Identifier: Apache-2.0
"""Numbers that the database has given, remembered."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Generic, TypeVar

_Key = TypeVar('_Key', bound=Hashable)


class Numbers(Generic[_Key]):
    """The last used numbers, up to a limit and those of one question.

    Only numbers of committed rows belong in it: those are never rolled back.
    They hold until the database is another one: emptied, restored, or a
    standby that had not heard of the last rows.
    Threads may share it: each step is one of the interpreter's, and a number
    that is missed for a moment is only asked for again.
    """

    def __init__(self, limit: int = 100_000) -> None:
        self._half = limit // 2
        #: What was used since these began, and since those before them did:
        #: cheaper than an order of all.
        self._new: dict[_Key, int] = {}
        self._old: dict[_Key, int] = {}

    def find(self, keys: Sequence[_Key],
             ask: Callable[[AbstractSet[_Key]], Mapping[_Key, int]]
             ) -> list[int]:
        """The number of each key, in order.

        ask: for the numbers of those keys that are not remembered.
        """
        old, found = self._old, [*map(self._new.get, keys)]
        missing = {key for key, number in zip(keys, found, strict=True)
                   if number is None} if None in found else set()
        known = {key: old[key] for key in missing if key in old}
        if unknown := missing - known.keys():
            known |= ask(unknown)
        if known:
            self._new.update(known)
        if len(self._new) > self._half:
            self._old, self._new = self._new, {}
        return [known[key] if number is None else number
                for key, number in zip(keys, found, strict=True)]
