# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import decimal
import functools
import gc
import threading
import weakref
from collections.abc import Iterator

import pytest

from moc_meter.agent.calls import Calls, Steps

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
    calls = Calls('asked')
    hang(calls, 'a', freed)
    asked: list[str] = []
    with pytest.raises(TimeoutError, match='still hangs'):
        calls.call('a', lambda: asked.append('a'), LONG)
    assert asked == []
    [thread] = calls._hung.values()
    freed.set()
    thread.join(LONG)
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


def test_all_calls_of_steps_are_made_in_one_thread() -> None:
    def steps() -> Steps[set[int]]:
        found = {threading.get_ident()}
        for number in range(10):
            answer, fault = yield str(number), threading.get_ident
            assert fault is None
            found.add(answer)
        return found

    found = Calls('test').run(steps(), LONG)
    assert len(found) == 1
    assert threading.get_ident() not in found


def test_steps_go_on_after_a_call_that_hangs(
        freed: threading.Event) -> None:
    """What the call gives after it was given up reaches nobody."""
    calls = Calls('going on')

    def steps() -> Steps[list[object]]:
        [left_alone] = named('going on')
        _, fault = yield 'a', freed.wait
        assert isinstance(fault, TimeoutError)
        found: list[object] = [str(fault)]
        _, fault = yield 'a', freed.wait
        found.append(str(fault))
        freed.set()
        left_alone.join(LONG)
        assert not left_alone.is_alive()
        for number in range(3):
            made = yield 'a', functools.partial(int, number)
            found.append(made)
        return found

    assert calls.run(steps(), 0.1) == [
        'a call hangs: a', 'an earlier call still hangs: a',
        (0, None), (1, None), (2, None)]
    assert calls.hanging == frozenset()
    assert calls.call('b', lambda: 5, LONG) == 5
    assert len(named('going on')) == 1


def test_the_time_is_that_of_a_call_and_not_of_the_steps(
        freed: threading.Event) -> None:
    def steps() -> Steps[list[BaseException | None]]:
        faults = []
        for wait in (0.6, 0.6, LONG, 0.6):
            freed.wait(1)       # between calls nothing is given up
            _, fault = yield str(wait), functools.partial(freed.wait, wait)
            faults.append(fault)
        return faults

    faults = Calls('test').run(steps(), 2)
    assert [repr(fault) for fault in faults] == [
        'None', 'None', "TimeoutError('a call hangs: 30.0')", 'None']


def test_a_fault_of_the_steps_is_raised_where_they_were_given() -> None:
    calls = Calls('test')

    def steps() -> Steps[None]:
        yield 'a', lambda: 5
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        calls.run(steps(), LONG)
    assert calls.call('a', lambda: 5, LONG) == 5


@pytest.mark.parametrize('kind', [StopIteration, GeneratorExit, SystemExit])
def test_any_fault_of_a_question_is_raised_as_it_is(
        kind: type[BaseException]) -> None:
    calls = Calls('test')

    def fail() -> None:
        raise kind

    with pytest.raises(kind):
        calls.call('a', fail, LONG)
    assert calls.call('a', lambda: 5, LONG) == 5


def test_where_no_time_is_left_nothing_is_called() -> None:
    calls, asked = Calls('no time'), []
    for seconds in (0, -1):
        with pytest.raises(TimeoutError, match='no time is left'):
            calls.call('a', lambda: asked.append('a'), seconds)
    assert (asked, calls.hanging, named('no time')) == ([], frozenset(), [])


def test_who_hangs_keeps_no_answer_of_others(
        freed: threading.Event) -> None:
    class Answer:
        pass

    gone = threading.Event()

    def made() -> Answer:
        answer = Answer()
        weakref.finalize(answer, gone.set)
        return answer

    def steps() -> Steps[None]:
        yield 'a', made
        yield 'b', lambda: freed.wait(LONG) or None

    Calls('test').run(steps(), 0.5)
    gc.collect()
    assert gone.is_set()


def test_how_one_calculates_is_not_how_others_do() -> None:
    def set_one_digit() -> None:
        decimal.getcontext().prec = 1

    def steps() -> Steps[object]:
        yield 'a', set_one_digit
        found, _ = yield 'b', lambda: decimal.Decimal('1.25') + 1
        return found

    assert Calls('test').run(steps(), LONG) == decimal.Decimal('2.25')


def named(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate()
            if thread.name == name]
