# SPDX-License-Identifier: Apache-2.0
"""Calls that may hang: each is given some time, and no more.

What hangs in a library cannot be interrupted. So calls are made in a thread
that is left alone with the one that hangs, and the next are made in another.
To hand a thread each single call takes longer than most calls do; so it is
handed a generator, which yields calls and does between them what is to be
done with the answers. Where a call hangs, another thread goes on with the
generator, which is told so, as if the call had raised that.
"""

from __future__ import annotations

import contextvars
import queue
import threading
import time
import weakref
from collections.abc import Callable, Generator, Mapping
from typing import Any, TypeVar

Answer = TypeVar('Answer')

#: What a call gave, or what it raised.
Made = tuple[Any, BaseException | None]
#: Yields the key of a call, and the call; is sent what came of it.
Steps = Generator[tuple[str, Callable[[], Any]], Made, Answer]


class _Run:
    """Steps that are gone through, by one thread at a time."""

    def __init__(self, steps: Steps[Any],
                 hung: Mapping[str, threading.Thread]) -> None:
        """hung: threads that were left alone, by the key of their call."""
        self._steps = steps
        self._hung = hung
        self._guard = threading.Lock()
        self._turn = 0          # threads that were left alone with a call
        self._key = ''
        self._began: float | None = None        # the call that is made now
        #: released when all is done
        self._going = threading.Lock()
        self._going.acquire()
        self.end: Made = None, None

    def go(self, made: Made | None) -> bool:
        """Make the calls, in a thread that may be left alone with one.

        made: what came of the last one; None at the start.
        False where it was left alone, and its call has ended now.
        """
        turn, step = self._turn, self._steps.send
        try:
            while True:
                key, question = step(made)      # type: ignore[arg-type]
                # The next call may take long, and frees nothing of this one.
                made = None
                if key in self._hung and self._hung[key].is_alive():
                    made = None, TimeoutError(
                        f'an earlier call still hangs: {key}')
                    continue
                self._key, self._began = key, time.monotonic()
                made = _made(question)
                with self._guard:
                    if turn != self._turn:
                        return False
                    self._began = None
        except StopIteration as last:
            self.end = last.value, None
        except BaseException as fault:      # raised again where it was asked
            self.end = None, fault
        self._going.release()
        return True

    def hangs(self, seconds: float) -> str | None:
        """The key of a call that takes longer; None when all is done.

        From then on that call is given up, whatever comes of it.
        """
        left = seconds
        while not self._going.acquire(timeout=left):
            with self._guard:
                left = seconds
                if self._began is None:
                    continue        # no call is under way
                left += self._began - time.monotonic()
                if left <= 0:
                    self._turn += 1
                    self._began = None
                    return self._key
        return None


_Inbox = queue.SimpleQueue[tuple[_Run, Made | None] | None]
_Worker = tuple[_Inbox, threading.Thread]


class Calls:
    """Makes one call after another, of whichever thread asks.

    While a call hangs, no other of its key is made: there are never more
    threads than keys, and one.
    """

    def __init__(self, name: str) -> None:
        """name: of the threads."""
        self._name = name
        self._turn = threading.Lock()
        self._idle: _Worker | None = None
        self._hung: dict[str, threading.Thread] = {}

    @property
    def hanging(self) -> frozenset[str]:
        """The keys whose calls were given up and did not end since."""
        return frozenset(key for key, thread in list(self._hung.items())
                         if thread.is_alive())

    def call(self, key: str, question: Callable[[], Answer],
             seconds: float) -> Answer:
        """The answer; raises what the question raises.

        Raises TimeoutError after so many seconds, and at once where none are
        left or while an earlier call of the key hangs.
        """
        if seconds <= 0:
            raise TimeoutError(f'no time is left for a call: {key}')

        def only() -> Steps[Made]:
            return (yield key, question)

        answer: Answer
        answer, fault = self.run(only(), seconds)
        if fault is not None:
            raise fault
        return answer

    def run(self, steps: Steps[Answer], seconds: float) -> Answer:
        """What the steps return, or raise, when all their calls were made.

        seconds: for each of the calls, more than none. One that takes longer,
            or whose key has an earlier call that hangs, is to the steps one
            that raised TimeoutError. What they do between calls has all the
            time.
        """
        with self._turn:
            for key in self._hung.keys() - self.hanging:
                del self._hung[key]
            run, made = _Run(steps, self._hung), None
            while True:
                worker, self._idle = self._idle or self._hired(), None
                inbox, thread = worker
                inbox.put((run, made))
                hangs = run.hangs(seconds)
                if hangs is None:
                    break
                self._hung[hangs] = thread      # which ends when its call does
                made = None, TimeoutError(f'a call hangs: {hangs}')
            self._idle = worker
        # A thread that still hangs shall not keep the answer.
        (answer, fault), run.end = run.end, (None, None)
        if fault is not None:
            raise fault
        found: Answer = answer
        return found

    def _hired(self) -> _Worker:
        inbox: _Inbox = queue.SimpleQueue()
        thread = threading.Thread(target=_work, args=(inbox,), daemon=True,
                                  name=self._name)
        thread.start()
        weakref.finalize(self, inbox.put, None)
        return inbox, thread


def _made(question: Callable[[], Any]) -> Made:
    try:
        # What it sets for its calculations (decimal) is not set for others.
        return contextvars.copy_context().run(question), None
    except BaseException as fault:      # what a stranger's code may raise
        return None, fault


def _work(inbox: _Inbox) -> None:
    while (given := inbox.get()) is not None:
        run, made = given
        if not run.go(made):
            return
        del given, run, made        # else they are kept until the next ones
