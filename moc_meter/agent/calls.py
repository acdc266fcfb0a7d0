# SPDX-License-Identifier: Apache-2.0
"""Calls that may hang: each is given some time, and no more.

What hangs in a library cannot be interrupted. So calls are made in a thread
that is left alone with the one that hangs, and the next are made in another.
"""

from __future__ import annotations

import queue
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

Answer = TypeVar('Answer')


def _held() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass(slots=True, eq=False)
class _Call:
    question: Callable[[], Any]
    answer: Any = None
    fault: BaseException | None = None
    #: released when it is over; a bare lock, since an event takes several
    #: times as long as most calls
    running: threading.Lock = field(default_factory=_held)


_Inbox = queue.SimpleQueue[_Call | None]


class Calls:
    """Makes one call after another, of whichever thread asks.

    While a call hangs, no other of its key is made: there are never more
    threads than keys, and one.
    """

    def __init__(self, name: str) -> None:
        """name: of the threads."""
        self._name = name
        self._turn = threading.Lock()
        self._inbox: _Inbox | None = None
        self._hung: dict[str, _Call] = {}

    @property
    def hanging(self) -> frozenset[str]:
        """The keys whose calls were given up and did not end since."""
        return frozenset(key for key, call in list(self._hung.items())
                         if call.running.locked())

    def call(self, key: str, question: Callable[[], Answer],
             seconds: float) -> Answer:
        """The answer; raises what the question raises.

        Raises TimeoutError after so many seconds, and at once while an
        earlier call of the key hangs.
        """
        with self._turn:
            hanging = self.hanging
            self._hung = {name: self._hung[name] for name in hanging}
            if key in hanging:
                raise TimeoutError(f'an earlier call still hangs: {key}')
            call = _Call(question)
            if self._inbox is None:
                self._inbox = self._worker()
            self._inbox.put(call)
            if not call.running.acquire(timeout=seconds):
                self._hung[key] = call
                self._inbox.put(None)       # it ends when the call does
                self._inbox = None
                raise TimeoutError(f'a call hangs: {key}')
        if call.fault is not None:
            raise call.fault
        answer: Answer = call.answer
        return answer

    def _worker(self) -> _Inbox:
        inbox: _Inbox = queue.SimpleQueue()
        threading.Thread(target=_work, args=(inbox,), daemon=True,
                         name=self._name).start()
        weakref.finalize(self, inbox.put, None)
        return inbox


def _work(inbox: _Inbox) -> None:
    while (call := inbox.get()) is not None:
        try:
            call.answer = call.question()
        except BaseException as fault:      # raised again where it was asked
            call.fault = fault
        call.running.release()
        del call        # else it keeps its answer until the next one
