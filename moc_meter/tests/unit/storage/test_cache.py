# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from moc_meter.storage.cache import Numbers


class Database:
    """Numbers letters by the alphabet; remembers what was asked for."""

    def __init__(self) -> None:
        self.asked = ''

    def __call__(self, keys: AbstractSet[str]) -> Mapping[str, int]:
        self.asked += ''.join(sorted(keys))
        return {key: ord(key) - ord('a') for key in keys}


def test_each_unknown_key_is_asked_for_once() -> None:
    numbers: Numbers[str] = Numbers()
    database = Database()
    assert numbers.find('abab', database) == [0, 1, 0, 1]
    assert numbers.find('cab', database) == [2, 0, 1]
    assert database.asked == 'abc'


def test_what_is_used_is_remembered_and_the_rest_forgotten() -> None:
    numbers: Numbers[str] = Numbers(limit=4)
    database = Database()
    for letter in 'bcdefgh':
        assert numbers.find(['a', letter], database) == [
            0, ord(letter) - ord('a')]
    assert database.asked == 'abcdefgh'
    numbers.find('b', database)
    assert database.asked == 'abcdefghb'


def test_a_question_may_be_larger_than_the_limit() -> None:
    assert Numbers[str](limit=2).find('abcd', Database()) == [0, 1, 2, 3]
