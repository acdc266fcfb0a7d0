# SPDX-License-Identifier: Apache-2.0
"""What a plugin raises, as plain values.

How a fault tells itself, and what is done when it is forgotten, is code of
the plugin's, which may fail or hang. So both belong to its time, and what
goes on from there is an error of ours or plain text.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import TypeVar

from moc_meter import contracts, errors

_T = TypeVar('_T')

_OURS = frozenset(kind for kind in vars(errors).values()
                  if isinstance(kind, type))
#: Characters at the end of a traceback; where it was raised stands there.
_LONGEST = 10_000


class PluginFault(Exception):
    """What a plugin raised that is no error of ours.

    message: its type, and what it says without the facts of the case.
    """

    def __init__(self, told: str, message: str) -> None:
        self.message = message
        super().__init__(told)

    def __repr__(self) -> str:
        return str(self)


class PluginTimeout(PluginFault, TimeoutError):
    """What a plugin asked did not answer; it says so itself."""


def plainly(question: Callable[[], _T], *, traced: bool = False) -> _T:
    """What a question of a plugin gives; to be asked in the plugin's time.

    traced: a fault that nobody expects has the plugin's traceback as a note.
    Raises an error of ours where the plugin raises one or a kind of one, and
    otherwise PluginFault; never what the plugin has made.
    """
    try:
        return question()
    except BaseException as fault:
        plain = _plain(fault, traced)
    # Not above, where the fault would be its context.
    try:
        raise plain
    finally:
        del plain       # it knows this frame, and keeps what was asked about


def _plain(fault: BaseException, traced: bool) -> Exception:
    try:
        plain = _copied(fault)
        if traced:
            plain.add_note(
                ''.join(traceback.format_exception(fault))[-_LONGEST:])
    except BaseException:
        # Not even its type can be asked.
        return PluginFault('a fault that cannot be told', '')
    return plain


def _copied(fault: BaseException) -> Exception:
    told, of = contracts.told(fault), type(fault)
    said = vars(fault).get('message')
    message = contracts.cut(said) if type(said) is str else ''
    for kind in of.__mro__:
        if kind in _OURS:
            plain: Exception = kind(message)
            plain.args = (told,)
            return plain
    return (PluginTimeout if issubclass(of, TimeoutError) else PluginFault)(
        told, f'{of.__name__} {message}')
