# SPDX-License-Identifier: Apache-2.0
"""Chance that comes out the same on every machine and every Python."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from typing import TypeVar

Thing = TypeVar('Thing')

_MASK = 2 ** 64 - 1


class Dice:
    """Throws of one thing's own; others' throws do not change them.

    Python promises the same numbers for ever of random() alone.
    """

    def __init__(self, *parts: object) -> None:
        """parts: what the throws are for: the seed, 'instance', 17."""
        text = '\0'.join(map(str, parts))
        digest = hashlib.sha256(text.encode()).digest()
        self._random = random.Random(   # noqa: S311 - no secrets
            int.from_bytes(digest, 'big')).random

    def below(self, limit: int) -> int:
        """One of 0 .. limit-1; limit up to 2**50."""
        return int(self._random() * limit)

    def between(self, low: int, high: int) -> int:
        """One of low .. high, both possible."""
        return low + self.below(high - low + 1)

    def chance(self, one_in: int) -> bool:
        """True once in so many throws."""
        return self.below(one_in) == 0

    def one(self, things: Sequence[Thing]) -> Thing:
        """Any of them."""
        return things[self.below(len(things))]

    def some(self, things: Sequence[Thing], count: int) -> list[Thing]:
        """So many different ones, or all, in any order."""
        return self.shuffled(things)[:count]

    def shuffled(self, things: Sequence[Thing]) -> list[Thing]:
        """All of them in any order."""
        left = list(things)
        for last in range(len(left) - 1, 0, -1):
            other = self.below(last + 1)
            left[last], left[other] = left[other], left[last]
        return left


def mixed(number: int) -> int:
    """64 bits that look like chance, of a number (splitmix64)."""
    bits = (number + 1) * 0x9E3779B97F4A7C15 & _MASK
    bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    bits = (bits ^ bits >> 27) * 0x94D049BB133111EB & _MASK
    return bits ^ bits >> 31


def digest(text: str) -> str:
    """32 hexadecimal digits, the same for the same text."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
