# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from moc_meter.storage.cache import Numbers


def test_known_and_missing_keys_are_told_apart() -> None:
    numbers: Numbers[str] = Numbers()
    numbers.put('a', 1)
    assert numbers.find(['a', 'b', 'a', 'b']) == ({'a': 1}, {'b'})


def test_the_number_used_longest_ago_is_forgotten_first() -> None:
    numbers: Numbers[str] = Numbers(limit=2)
    numbers.put('a', 1)
    numbers.put('b', 2)
    numbers.find(['a'])
    numbers.put('c', 3)
    assert numbers.find(['a', 'b', 'c']) == ({'a': 1, 'c': 3}, {'b'})
