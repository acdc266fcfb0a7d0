# SPDX-License-Identifier: Apache-2.0
"""Values as text: JSON on a line."""

from __future__ import annotations

from collections.abc import Callable, Mapping


def line(value: object, leaf: Callable[[object], str]) -> str:
    """The value as JSON on one line.

    leaf: writes what is neither an object nor a list.
    """
    match value:
        case Mapping():
            return '{' + ', '.join(f'{leaf(key)}: {line(inner, leaf)}'
                                   for key, inner in value.items()) + '}'
        case list() | tuple():
            return '[' + ', '.join(line(one, leaf) for one in value) + ']'
        case _:
            return leaf(value)
