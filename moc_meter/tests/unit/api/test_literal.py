# SPDX-License-Identifier: Apache-2.0

import pytest

from moc_meter import errors
from moc_meter.api.v2 import literal


@pytest.mark.parametrize(('value', 'guess'), [
    ('1', ('number', '1')), ('-7', ('number', '-7')),
    ('1.50', ('number', '1.5')), ('1e3', ('number', '1000')),
    ('True', ('boolean', 'True')), ('False', ('boolean', 'False')),
    ('None', ('null', 'None')),
    ("'17'", ('text', '17')), ('"on"', ('text', 'on')),
])
def test_an_untyped_value_is_guessed_or_the_text_itself(
        value: str, guess: tuple[str, str]) -> None:
    assert literal.alternatives(value, None) == (guess, ('text', value))


@pytest.mark.parametrize('value', [
    'plain', '', 'true', '[1, 2]', '{}', '(1,)', 'nan', '1e400', '1_0',
    '007', "'a'b'", '9' * 5000, '(' * 20000,
])
def test_what_is_no_literal_is_plain_text(value: str) -> None:
    assert literal.alternatives(value, '') == (('text', value),)


@pytest.mark.parametrize(('value', 'kind', 'wanted'), [
    ('17', 'integer', ('number', '17')),
    ('17', 'float', ('number', '17')),
    ('17.3', 'float', ('number', '17.3')),
    ('17', 'string', ('text', '17')),
    ('yes', 'boolean', ('boolean', 'True')),
    ('OFF', 'boolean', ('boolean', 'False')),
])
def test_a_typed_value_is_of_its_type_only(
        value: str, kind: str, wanted: tuple[str, str]) -> None:
    assert literal.alternatives(value, kind) == (wanted,)


def test_a_moment_is_compared_as_text_as_sent_or_as_we_write_it() -> None:
    assert literal.alternatives('2015-03-01T12:00+01:00', 'datetime') == (
        ('text', '2015-03-01T12:00+01:00'), ('text', '2015-03-01T11:00:00'))


@pytest.mark.parametrize(('value', 'kind'), [
    ('17.3', 'integer'), ('x', 'integer'), ('1.2.3', 'float'),
    ('nan', 'float'), ('1e400', 'float'), ('perhaps', 'boolean'),
    ('soon', 'datetime'), ('9' * 5000, 'integer'), ('1_0', 'integer'),
    ('1_0.5', 'float'), ('\u0663', 'integer'), ('\u0663.5', 'float'),
    ('inf', 'float'), ('', 'integer'), ('', 'float'), ('.', 'float'),
])
def test_a_value_that_is_none_of_its_type_is_refused(
        value: str, kind: str) -> None:
    with pytest.raises(errors.InvalidQuery) as refusal:
        literal.alternatives(value, kind)
    assert str(refusal.value) == (
        f'Unable to convert the value {value} to the expected data type '
        f'{kind}.')


def test_an_unknown_type_is_refused_with_the_known_ones() -> None:
    with pytest.raises(errors.InvalidQuery) as refusal:
        literal.alternatives('1', 'decimal')
    assert str(refusal.value) == (
        'The data type decimal is not supported. The supported data type '
        "list is: ['integer', 'float', 'string', 'boolean', 'datetime']")
