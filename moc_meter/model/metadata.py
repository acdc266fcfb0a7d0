# SPDX-License-Identifier: Apache-2.0
"""Metadata of resources: nested JSON, its paths, and how it is shown."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from decimal import Decimal

from moc_meter import errors

#: Deeper nesting than this is no description of a resource.
MAX_DEPTH = 32

TEXT = 'text'
NUMBER = 'number'
BOOLEAN = 'boolean'
NULL = 'null'


def scalars(metadata: Mapping[str, object]
            ) -> Iterator[tuple[str, str, str]]:
    """Every scalar as (path, kind, text), what questions compare.

    Keys are joined by dots, items of lists written as 'tags[0]'. Integers
    and floats are one kind and equal numbers have equal text.
    """
    for key, value in metadata.items():
        yield from _scalars(key, value)


def _scalars(path: str, value: object) -> Iterator[tuple[str, str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _scalars(f'{path}.{key}', inner)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _scalars(f'{path}[{place}]', inner)
    else:
        yield path, *scalar(value)


def scalar(value: object) -> tuple[str, str]:
    """A scalar's kind and its text."""
    match value:
        case None:
            return NULL, 'None'
        case bool():
            return BOOLEAN, str(value)
        case int() | float():
            return NUMBER, _number(value)
        case _:
            return TEXT, str(value)


def _number(value: int | float) -> str:
    exact = Decimal(repr(value))
    if exact == exact.to_integral_value():
        return str(int(exact))
    return str(exact.normalize())


def flattened(metadata: Mapping[str, object]) -> dict[str, str]:
    """Metadata as the v2 API shows it: text by key, nothing nested.

    The path's keys are joined by dots, every dot becomes a colon, and the
    first colon a dot again. Lists are spelled as Python spells them.
    """
    shown: dict[str, str] = {}
    for key, value in metadata.items():
        _flatten(shown, key, value)
    return shown


def _flatten(shown: dict[str, str], path: str, value: object) -> None:
    # A check against an abstract class is slow, and most values are texts.
    if isinstance(value, str) or not isinstance(value, Mapping):
        shown[path.replace('.', ':').replace(':', '.', 1)] = str(value)
        return
    for key, inner in value.items():
        _flatten(shown, f'{path}.{key}', inner)


def nested(flat: Mapping[str, str]) -> dict[str, object]:
    """Dotted keys as nested objects: {'a.b': 'x'} is {'a': {'b': 'x'}}.

    A key that is both a value and the beginning of others cannot be nested
    and stays as it was sent.
    """
    tree: dict[str, object] = {}
    for key, value in sorted(flat.items()):
        if not _place(tree, key.split('.'), value):
            tree[key] = value
    return tree


def _place(tree: dict[str, object], parts: list[str], value: str) -> bool:
    inner = tree
    for part in parts[:-1]:
        step = inner.setdefault(part, {})
        if not isinstance(step, dict):
            return False
        inner = step
    if parts[-1] in inner:
        return False
    inner[parts[-1]] = value
    return True


def check(value: object, depth: int = 0) -> None:
    """Raise InvalidSample where the value is not bounded, finite JSON."""
    if depth > MAX_DEPTH:
        raise errors.InvalidSample('metadata is nested too deeply',
                                   limit=MAX_DEPTH)
    match value:
        case None | bool() | int():
            return
        case str():
            check_text('metadata', value)
        case float():
            if not math.isfinite(value):
                raise errors.InvalidSample(
                    'a number in metadata must be finite', value=value)
        case list():
            for inner in value:
                check(inner, depth + 1)
        case Mapping():
            for key, inner in value.items():
                _check_key(key)
                check(inner, depth + 1)
        case _:
            raise errors.InvalidSample(
                'metadata must be JSON', type=type(value).__name__)


def _check_key(key: object) -> None:
    if not isinstance(key, str):
        raise errors.InvalidSample('a key of metadata must be text', key=key)
    check_text('metadata', key)


def check_text(name: str, value: str) -> None:
    """Raise InvalidSample where a database could not keep the text."""
    if '\0' in value:
        raise errors.InvalidSample('text must not contain NUL', field=name)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise errors.InvalidSample('text must be valid Unicode',
                                   field=name) from None
