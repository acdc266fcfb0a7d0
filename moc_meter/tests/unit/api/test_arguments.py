# SPDX-License-Identifier: Apache-2.0

from typing import Any

import pytest
import webob

from moc_meter import errors
from moc_meter.api.v2 import arguments

PARAMETERS = (arguments.LIMIT, arguments.boolean('unique'),
              arguments.texts('groupby'), arguments.AGGREGATES)


def read(url: str) -> dict[str, Any]:
    return arguments.read(webob.Request.blank(f'/?{url}').GET, PARAMETERS)


def complaint(url: str) -> str:
    with pytest.raises(errors.InvalidQuery) as refusal:
        read(url)
    return str(refusal.value)


def test_what_is_not_given_is_none_false_or_empty() -> None:
    assert read('') == {'limit': None, 'unique': False, 'groupby': (),
                        'aggregate': ()}


@pytest.mark.parametrize('word', [
    '1', 't', 'true', 'on', 'y', 'yes', 'TRUE', 'Yes', '%20on%20'])
def test_the_words_for_true_are_true_in_any_case(word: str) -> None:
    assert read(f'unique={word}')['unique'] is True


@pytest.mark.parametrize('word', ['', '0', 'false', 'tru', '2', 'garbage'])
def test_every_other_word_is_false(word: str) -> None:
    assert read(f'unique={word}')['unique'] is False


@pytest.mark.parametrize('text', ['x', '', '1.0', '0x10', '1_0', '%D9%A3',
                                  '9' * 5000])
def test_a_limit_that_is_no_integer_is_refused(text: str) -> None:
    said = complaint(f'limit={text}')
    assert 'Invalid input for field/attribute limit' in said
    assert 'unable to convert to int' in said


@pytest.mark.parametrize('url', ['limit=1&limit=1', 'unique=1&unique=1'])
def test_a_scalar_is_given_once(url: str) -> None:
    assert 'given several times' in complaint(url)


def test_unknown_parameters_are_named() -> None:
    assert complaint('nonsense=1') == 'Unknown argument: "nonsense"'
    assert complaint('b=1&a=2&limit=1') == 'Unknown argument: "a, b"'
    assert complaint('aggregate=max') == 'Unknown argument: "aggregate"'


def test_a_list_is_kept_in_order_without_duplicates() -> None:
    assert read('groupby=b&groupby=a&groupby=b')['groupby'] == ('b', 'a')


def test_aggregates_have_the_parameter_at_their_position() -> None:
    assert read('aggregate.func=cardinality&aggregate.func=max'
                '&aggregate.param=user_id')['aggregate'] == (
        ('cardinality', 'user_id'), ('max', None))


def test_a_parameter_without_a_function_belongs_to_none() -> None:
    assert read('aggregate.param=user_id')['aggregate'] == (
        ('', 'user_id'),)


@pytest.mark.parametrize('limit', [0, -1])
def test_a_limit_must_be_positive(limit: int) -> None:
    with pytest.raises(errors.InvalidQuery, match='Limit must be positive'):
        arguments.bounded(limit, 100)


def test_a_limit_beyond_the_largest_answer_is_that() -> None:
    assert arguments.bounded(None, 100) == 100
    assert arguments.bounded(7, 100) == 7
    assert arguments.bounded(10 ** 30, 100) == 100_000
