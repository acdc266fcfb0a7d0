# SPDX-License-Identifier: Apache-2.0
"""Metadata: its paths, what rules say of it, and how it is shown."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from moc_meter.truth import instants

_TRUE = ('1', 't', 'true', 'on', 'y', 'yes')
_FALSE = ('0', 'f', 'false', 'off', 'n', 'no')
_WORDS: Mapping[str, object] = {'True': True, 'False': False, 'None': None}
_INTEGER = re.compile(r'[+-]?(0|[1-9]\d*)', re.ASCII)
_FLOAT = re.compile(r'[+-]?(\d+\.\d*|\.\d+|\d+(?=[eE]))([eE][+-]?\d+)?',
                    re.ASCII)
_ITEM = re.compile(r'\[(?P<place>0|[1-9]\d*)\](?P<rest>([.[].*)?)',
                   re.ASCII | re.DOTALL)
_QUOTED = re.compile(r"""(['"])([^'"\\\n]*)\1""")

#: A scalar with its kind, so that neither True nor '1' equals 1.
Scalar = tuple[str, object]


def scalars(metadata: Mapping[str, object]) -> Iterator[tuple[str, Scalar]]:
    """Every scalar with its path.

    Keys are joined by dots, items of lists written as 'tags[0]'.
    """
    for key, value in metadata.items():
        yield from _within(key, value)


def _within(path: str, value: object) -> Iterator[tuple[str, Scalar]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _within(f'{path}.{key}', inner)
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            yield from _within(f'{path}[{place}]', inner)
    else:
        yield path, scalar(value)


def at(metadata: object, path: str) -> Iterator[object]:
    """The scalars at a path, which several may share: keys may have dots."""
    if not path:
        if not isinstance(metadata, Mapping | list | tuple):
            yield metadata
    elif isinstance(metadata, Mapping):
        for key, value in metadata.items():
            if path.startswith(key):
                rest = path[len(key):]
                if not rest or rest[0] == '[':
                    yield from at(value, rest)
                elif rest[0] == '.' and isinstance(value, Mapping):
                    yield from at(value, rest[1:])
    elif isinstance(metadata, list | tuple):
        yield from _item(metadata, path)


def _item(items: Sequence[object], path: str) -> Iterator[object]:
    found = _ITEM.fullmatch(path)
    if found and int(found['place']) < len(items):
        item, rest = items[int(found['place'])], found['rest']
        if not rest or rest[0] == '[':
            yield from at(item, rest)
        elif isinstance(item, Mapping):
            yield from at(item, rest[1:])


def scalar(value: object) -> Scalar:
    """Numbers compare as numbers; all else only with its own kind."""
    match value:
        case None | bool():
            return type(value).__name__, value
        case int() | float():
            return 'number', Fraction(value)
        case _:
            return 'text', str(value)


def flattened(metadata: Mapping[str, object]) -> dict[str, str]:
    """As the API shows it: text by key, nothing nested.

    Keys are joined by dots, every dot becomes a colon, and the first colon a
    dot again.
    """
    return {path.replace('.', ':').replace(':', '.', 1): str(value)
            for path, value in _leaves('', metadata)}


def _leaves(prefix: str, metadata: Mapping[str, object]
            ) -> Iterator[tuple[str, object]]:
    for key, value in metadata.items():
        if isinstance(value, Mapping):
            yield from _leaves(f'{prefix}{key}.', value)
        else:
            yield prefix + key, value


def alternatives(value: str, kind: str) -> frozenset[Scalar]:
    """What a stored value must be equal to, one of them.

    kind: the type that the rule names; where it is '' the value is guessed
        as a literal, and the text itself matches as well.
    Raises ValueError where the value is none of its type.
    """
    match kind:
        case '':
            return frozenset((scalar(_guessed(value)), ('text', value)))
        case 'integer':
            return frozenset([scalar(int(value))])
        case 'float':
            return frozenset([scalar(float(value))])
        case 'boolean':
            return frozenset([scalar(_boolean(value))])
        case 'datetime':
            return frozenset((('text', value), (
                'text', instants.show(instants.parse(value)))))
        case 'string':
            return frozenset([('text', value)])
    raise ValueError(f'no such type: {kind}')


def _boolean(value: str) -> bool:
    word = value.strip().lower()
    if word not in _TRUE + _FALSE:
        raise ValueError(f'neither true nor false: {value}')
    return word in _TRUE


def literal(value: object) -> str:
    """How a scalar's value is written in a rule."""
    if isinstance(value, Fraction):
        return str(value) if value.denominator == 1 else repr(float(value))
    return str(value)


def _guessed(value: str) -> object:
    if value in _WORDS:
        return _WORDS[value]
    if _INTEGER.fullmatch(value):
        return int(value)
    if _FLOAT.fullmatch(value) and math.isfinite(float(value)):
        return float(value)
    if quoted := _QUOTED.fullmatch(value):
        return quoted[2]
    return value
