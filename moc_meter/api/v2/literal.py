# SPDX-License-Identifier: Apache-2.0
"""Values of metadata rules: what a text in a query may stand for.

An alternative is a kind and a text, as model.metadata.scalar() gives them, so
that a store compares texts only.
"""

from __future__ import annotations

import math
import re

from moc_meter import errors
from moc_meter.api.v2 import timestamp
from moc_meter.model import metadata

TYPES = ('integer', 'float', 'string', 'boolean', 'datetime')

_TRUE = ('1', 't', 'true', 'on', 'y', 'yes')
_FALSE = ('0', 'f', 'false', 'off', 'n', 'no')
_WORDS = {'True': True, 'False': False, 'None': None}
_INTEGER = re.compile(r'[+-]?(0|[1-9]\d*)', re.ASCII)
_FLOAT = re.compile(r'[+-]?(\d+\.\d*|\.\d+|\d+(?=[eE]))([eE][+-]?\d+)?',
                    re.ASCII)
#: As int() and float() take them, without their underscores and digits of
#: other scripts.
_WHOLE = re.compile(r'\s*[+-]?\d+\s*', re.ASCII)
_REAL = re.compile(r'\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*', re.ASCII)
_QUOTED = re.compile(r"""'([^'\\\n]*)'|"([^"\\\n]*)\"""")

Alternatives = tuple[tuple[str, str], ...]


def alternatives(value: str, kind: str | None) -> Alternatives:
    """What a stored value must be equal to, one of them.

    kind: the type that the rule names; without one the value is guessed, and
        the text itself matches as well, since metadata that came by REST is
        always text.
    Raises InvalidQuery where the value is none of its type.
    """
    check_type(kind)
    if not kind:
        return tuple(dict.fromkeys(
            (metadata.scalar(_guessed(value)), (metadata.TEXT, value))))
    try:
        return _CONVERTERS[kind](value)
    except ValueError:
        raise errors.InvalidQuery(
            f'Unable to convert the value {value} to the expected data type '
            f'{kind}.') from None


def check_type(kind: str | None) -> None:
    """Raise InvalidQuery where there is no such type."""
    if kind and kind not in TYPES:
        raise errors.InvalidQuery(
            f'The data type {kind} is not supported. The supported data type '
            f'list is: {list(TYPES)}')


def _guessed(value: str) -> object:
    if value in _WORDS:
        return _WORDS[value]
    if _INTEGER.fullmatch(value) or _FLOAT.fullmatch(value):
        try:
            return _number(value)
        except ValueError:
            return value
    if quoted := _QUOTED.fullmatch(value):
        return quoted[1] if quoted[1] is not None else quoted[2]
    return value


def _number(value: str) -> int | float:
    if _INTEGER.fullmatch(value):
        return int(value)
    return finite(value)


def whole(value: str) -> int:
    """The integer that a text holds; raises ValueError."""
    if not _WHOLE.fullmatch(value):
        raise ValueError('not an integer')
    return int(value)


def finite(value: str) -> float:
    """The double nearest to what a text holds; raises ValueError."""
    if not _REAL.fullmatch(value):
        raise ValueError('not a number')
    number = float(value)
    if not math.isfinite(number):
        raise ValueError('not a finite number')
    return number


def _boolean(value: str) -> bool:
    word = value.strip().lower()
    if word not in _TRUE + _FALSE:
        raise ValueError('neither true nor false')
    return word in _TRUE


def _instant(value: str) -> Alternatives:
    """Metadata holds no instants: the text as given, or as we write it."""
    shown = timestamp.show(timestamp.parse(value))
    return (metadata.TEXT, value), (metadata.TEXT, shown)


_CONVERTERS = {
    'integer': lambda value: (metadata.scalar(whole(value)),),
    'float': lambda value: (metadata.scalar(finite(value)),),
    'boolean': lambda value: (metadata.scalar(_boolean(value)),),
    'string': lambda value: ((metadata.TEXT, value),),
    'datetime': _instant,
}
