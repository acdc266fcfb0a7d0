# SPDX-License-Identifier: Apache-2.0
"""Rules in the syntax of Ceilometer's client, and as Python makes them."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moc_meter import errors
from moc_meter.client.filters import OPERATORS, TYPES, Filter, parse, rules

NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
BERLIN = datetime.timezone(datetime.timedelta(hours=1))
FIELDS = st.text('abcdefghijklmnopqrstuvwxyz._:[]0123456789é',
                 min_size=1).filter(str.strip)
#: A backslash before a semicolon would take it for a part of the value.
VALUES = st.text(st.characters(exclude_characters='\\'),
                 max_size=20).map(str.strip)
BLANKS = st.text(' \t', max_size=2)


def written(made: Filter, blanks: str = '') -> str:
    kind = f'{made.type}::' if made.type else ''
    value = str(made.value).replace(';', r'\;')
    return blanks.join(('', made.field, made.op, kind + value, ''))


@given(st.lists(st.builds(
    Filter, FIELDS, st.sampled_from(sorted(OPERATORS)), VALUES,
    st.none() | st.sampled_from(TYPES))))
def test_what_is_written_is_read_again(made: list[Filter]) -> None:
    found = parse(';'.join(map(written, made)))
    assert [one.query() for one in found] == [one.query() for one in _read(
        made)]


def _read(made: list[Filter]) -> list[Filter]:
    """'a<' with the value '=b' is written as what 'a<=' is with 'b'."""
    return [parse(written(one))[0] for one in made]


@given(FIELDS, st.sampled_from(['==', '!=', '<=', '>=']), VALUES,
       st.sampled_from(TYPES), BLANKS)
def test_no_rule_changes_on_the_way(field: str, op: str, value: str,
                                    kind: str, blanks: str) -> None:
    made = Filter(field.strip(), op, value, kind)
    assert parse(f'{written(made, blanks)};project=p1') == [
        made, Filter('project', '=', 'p1')]


@pytest.mark.parametrize(('said', 'expected'), [
    ('project=x', [('project', 'eq', 'x', '')]),
    (' project = x y ;', [('project', 'eq', 'x y', '')]),
    ('project==x', [('project', 'eq', 'x', '')]),
    ('timestamp>=2026-03-01;timestamp<2026-03-02',
     [('timestamp', 'ge', '2026-03-01', ''),
      ('timestamp', 'lt', '2026-03-02', '')]),
    ('a!=1;b<=2;c>3;', [('a', 'ne', '1', ''), ('b', 'le', '2', ''),
                        ('c', 'gt', '3', '')]),
    ('metadata.size=integer::8', [('metadata.size', 'eq', '8', 'integer')]),
    ('metadata.size=number::8', [('metadata.size', 'eq', 'number::8', '')]),
    ('metadata.a=b=c', [('metadata.a', 'eq', 'b=c', '')]),
    (r'resource=a\;b', [('resource', 'eq', 'a;b', '')]),
    ('user=', [('user', 'eq', '', '')]),
    ('', [])])
def test_rules_are_read_as_ceilometer_read_them(
        said: str, expected: list[tuple[str, str, str, str]]) -> None:
    assert [tuple(value for _, value in one.query())
            for one in parse(said)] == expected


@pytest.mark.parametrize('said', ['project', '=x', 'a!b', 'project=x;user'])
def test_what_is_no_rule_is_named(said: str) -> None:
    with pytest.raises(errors.InvalidQuery) as refused:
        parse(said)
    assert refused.value.facts['rule'] == said.split(';')[-1]


@pytest.mark.parametrize(('value', 'written', 'kind'), [
    (True, 'True', 'boolean'), (8, '8', 'integer'),
    (Decimal('1E-9'), '0.000000001', 'float'), ('8', '8', ''),
    (NOON, '2026-03-01T12:00:00Z', 'datetime')])
def test_metadata_has_the_type_of_its_value(
        value: str, written: str, kind: str) -> None:
    *_, said, typed = Filter('metadata.x', '=', value).query()
    assert (said[1], typed[1]) == (written, kind)


def test_an_instant_of_any_zone_is_sent_in_utc() -> None:
    rule = Filter('timestamp', '>=', NOON.astimezone(BERLIN))
    assert rule.query()[2:] == [('q.value', '2026-03-01T12:00:00Z'),
                                ('q.type', '')]


@pytest.mark.parametrize('make', [
    lambda: Filter('project', '~', 'x'),
    lambda: Filter('project', '=', 'x', 'text'),
    lambda: Filter('', '=', 'x'),
    lambda: Filter('timestamp', '>=', NOON.replace(tzinfo=None)).query()])
def test_what_the_api_has_not_is_refused_at_once(make: object) -> None:
    assert callable(make)
    with pytest.raises(errors.InvalidQuery):
        make()


def test_both_forms_are_taken() -> None:
    made = [Filter('project', '=', 'p1')]
    assert [*rules('project=p1')] == [*rules(iter(made))] == made
