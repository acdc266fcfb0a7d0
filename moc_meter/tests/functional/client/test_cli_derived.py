# SPDX-License-Identifier: Apache-2.0
"""What commands make of answers: increases, other units, who is silent."""

from __future__ import annotations

import pytest

from moc_meter.cmd import exits
from moc_meter.tests.functional.client.cli_world import Typing


def test_a_counter_increased_by_so_many_hours(asked: Typing) -> None:
    said = asked('statistics', 'cpu', '-a', 'increase', '--unit', 'h', '-f',
                 'value', '-c', 'unit', '-c', 'increase')
    assert (said.status, said.out) == (exits.DONE, 'h 1.5\n')


def test_from_the_reading_before_the_range(asked: Typing) -> None:
    words = ('statistics', 'cpu', '-a', 'increase', '-g', 'project_id', '-f',
             'value', '-c', 'increase', '-c', 'project_id')
    said = asked(*words, '--start', '2026-03-01T11:00', '--period', 'day')
    assert said.out == 'genomics 5400000000000.0\n'
    assert asked(*words, '--end', '2026-03-01T11:00').out == 'genomics 0\n'


def test_a_table_tells_it_in_the_unit_that_was_asked_for(asked: Typing
                                                         ) -> None:
    said = asked('statistics', 'cpu', '--unit', 'min', '-c', 'max', '-c',
                 'unit')
    assert '| min  |  90 |' in said.out


@pytest.mark.parametrize(('words', 'complaint'), [
    (('cpu', '-a', 'increase', '-a', 'max'), 'ask for it alone'),
    (('vcpus', '-a', 'increase'), "type='gauge'"),
    (('cpu', '--unit', 'GiB'), "value='GiB'"),
    (('vcpus', '--unit', 'h'), "unit='vcpu'")])
def test_what_makes_no_sense_is_refused(asked: Typing, words: tuple[str, ...],
                                        complaint: str) -> None:
    said = asked('statistics', *words)
    assert said.status == exits.REFUSED
    assert complaint in said.err


@pytest.mark.parametrize(('noun', 'column', 'shown'), [
    ('resource', 'metadata', 'resource_id'),
    ('event', 'traits', 'message_id')])
def test_what_is_nested_is_sorted_too(asked: Typing, noun: str, column: str,
                                      shown: str) -> None:
    words = (noun, 'list', '-f', 'value', '-c')
    rows = asked(*words, shown, '--sort-column', column,
                 '--sort-descending').out.splitlines()
    assert rows == asked(*words, shown, '--sort-column',
                         column).out.splitlines()[::-1]
    assert len(rows) > 1


def test_who_is_silent_since_then_is_listed(asked: Typing) -> None:
    words = ('resource', 'list', '-f', 'value', '-c', 'resource_id',
             '--silent-since')
    assert asked(*words, '2026-03-02').out == 'i-2\nwide\n'
    assert asked(*words, '2026-03-02', '--limit', '1').out == 'i-2\n'
    assert asked(*words, '2026-03-01').out == ''
