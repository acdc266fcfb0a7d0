# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest

from moc_meter.agent.calls import Calls

LONG = 30.0


@pytest.fixture
def freed() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def hang(calls: Calls, key: str, freed: threading.Event) -> None:
    with pytest.raises(TimeoutError, match='a call hangs'):
        calls.call(key, freed.wait, 0.01)


def test_an_answer_and_a_fault_are_those_of_the_question() -> None:
    calls = Calls('test')
    assert calls.call('a', lambda: 5, LONG) == 5
    with pytest.raises(ZeroDivisionError):
        calls.call('a', lambda: 1 // 0, LONG)


def test_calls_that_end_are_made_in_one_thread() -> None:
    calls = Calls('test')
    assert len({calls.call(str(number), threading.get_ident, LONG)
                for number in range(10)}) == 1


def test_after_one_that_hangs_the_others_are_made(
        freed: threading.Event) -> None:
    calls = Calls('test')
    hang(calls, 'a', freed)
    assert calls.call('b', lambda: 5, LONG) == 5
    assert calls.hanging == {'a'}


def test_who_hangs_is_not_called_again_until_it_has_ended(
        freed: threading.Event) -> None:
    calls = Calls('test')
    hang(calls, 'a', freed)
    asked: list[str] = []
    with pytest.raises(TimeoutError, match='still hangs'):
        calls.call('a', lambda: asked.append('a'), LONG)
    assert asked == []
    [call] = calls._hung.values()
    freed.set()
    assert call.running.acquire(timeout=LONG)
    call.running.release()
    assert calls.call('a', lambda: 5, LONG) == 5
    assert calls.hanging == frozenset()


def test_there_are_never_more_threads_than_keys_and_one(
        freed: threading.Event) -> None:
    calls = Calls('bounded')
    for key in ['a', 'b', 'c', 'c']:
        with pytest.raises(TimeoutError):
            calls.call(key, freed.wait, 0.01)
        calls.call('good', lambda: 5, LONG)
    assert len(named('bounded')) == 4


def test_threads_end_with_their_calls(freed: threading.Event) -> None:
    calls = Calls('ending')
    hang(calls, 'a', freed)
    calls.call('b', lambda: 5, LONG)
    threads = named('ending')
    freed.set()
    del calls
    gc.collect()
    for thread in threads:
        thread.join(LONG)
    assert named('ending') == []


def named(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate()
            if thread.name == name]
