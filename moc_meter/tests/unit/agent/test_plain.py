# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import weakref
from typing import Any

import pytest

from moc_meter import errors
from moc_meter.agent.plain import PluginFault, PluginTimeout, plainly
from moc_meter.tests.unit.agent import rubbish


class Away(errors.HypervisorUnavailable):
    """A kind of ours."""


class Spoken(Exception):
    """Says what is no plain text."""

    def __repr__(self) -> str:
        return Text('x' * 5000)


class Text(str):
    """Every part of it is of its own type."""

    __slots__ = ()

    def __getitem__(self, place: Any) -> Text:
        return Text(super().__getitem__(place))


def raised(fault: BaseException, *, traced: bool = False) -> Exception:
    def fails() -> None:
        raise fault

    with pytest.raises(Exception) as caught:
        plainly(fails, traced=traced)
    return caught.value


def test_an_answer_is_given_as_it_is() -> None:
    answer = object()
    assert plainly(lambda: answer) is answer


@pytest.mark.parametrize(('fault', 'kind', 'told'), [
    (KeyError('size'), PluginFault, "KeyError('size')"),
    (SystemExit(3), PluginFault, 'SystemExit(3)'),
    (TimeoutError('mail'), PluginTimeout, "TimeoutError('mail')"),
    (Away('gone', uri='x'), errors.HypervisorUnavailable, "gone: uri='x'"),
    (rubbish.UnspokenFault('x'), errors.MeterError, 'UnspokenFault'),
    (rubbish.NamelessFault(), PluginFault, 'a fault that cannot be told'),
    (Spoken(), PluginFault, 'x' * 1000)])
def test_a_fault_is_told_by_one_of_ours(
        fault: BaseException, kind: type[Exception], told: str) -> None:
    plain = raised(fault)
    assert (type(plain), str(plain)) == (kind, told)
    assert [type(argument) for argument in plain.args] == [str]
    assert (plain.__cause__, plain.__context__) == (None, None)


def test_what_stays_of_a_fault_is_its_type_and_its_message() -> None:
    class Own(Exception):
        message = 'of the class'

    first, other = Own(1), Own(2)
    first.message = other.message = 'stale'
    assert [vars(raised(fault))['message'] for fault in (
        first, other, OSError('x'), Away('gone', uri='x'))] == [
        'Own stale', 'Own stale', 'OSError ', 'gone']


def test_nothing_of_a_fault_lives_on() -> None:
    gone: list[bool] = []

    def fails() -> None:
        fault = Spoken()
        weakref.finalize(fault, gone.append, True)
        try:
            raise fault
        finally:
            del fault

    with pytest.raises(PluginFault):
        plainly(fails, traced=True)
    assert gone == [True]


def test_a_fault_that_was_told_keeps_nothing_that_was_asked_about() -> None:
    class Question:
        def __call__(self) -> None:
            raise KeyError('size')

    gone: list[bool] = []
    question = Question()
    weakref.finalize(question, gone.append, True)
    try:
        plainly(question)
    except PluginFault:
        del question
    assert gone == [True]


def test_where_it_was_raised_is_noted_for_who_wants_it() -> None:
    [note] = raised(KeyError('size'), traced=True).__notes__
    assert 'in fails' in note
    assert not hasattr(raised(KeyError('size')), '__notes__')
