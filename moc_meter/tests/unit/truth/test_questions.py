# SPDX-License-Identifier: Apache-2.0
"""Questions are written down and read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moc_meter.truth.questions import Kind, Question, Rule, parse

_NAMES = st.text(st.characters(exclude_categories=['Cs']), min_size=1)
_TEXTS = st.text(st.characters(exclude_categories=['Cs']))
_RULES = st.lists(st.builds(
    Rule, _NAMES, st.sampled_from(('eq', 'lt', 'ge')), _TEXTS,
    st.sampled_from(('', 'integer', 'string'))), max_size=4).map(tuple)
_NUMBERS = st.one_of(st.none(), st.integers(1, 10 ** 6))
_LISTS = st.builds(
    Question, kind=st.sampled_from((Kind.SAMPLES, Kind.METERS,
                                    Kind.RESOURCES)),
    rules=_RULES, limit=_NUMBERS, unique=st.booleans(), meter_links=_NUMBERS)
_ITEMS = st.builds(Question, name=_NAMES, kind=st.sampled_from((
    Kind.SAMPLE, Kind.RESOURCE, Kind.METER)))
_STATISTICS = st.builds(
    Question, kind=st.just(Kind.STATISTICS), name=_NAMES, rules=_RULES,
    period=_NUMBERS, groupby=st.lists(_NAMES, unique=True).map(tuple),
    aggregates=st.builds(
        lambda params, functions: (*(('cardinality', param)
                                     for param in params),
                                   *((name, None) for name in functions)),
        st.lists(_NAMES), st.lists(_NAMES)))


@given(st.one_of(_LISTS, _ITEMS, _STATISTICS))
def test_what_is_written_is_read_back(question: Question) -> None:
    assert parse(question.url()) == question
    assert parse(f'https://host/telemetry{question.url()}') == question


def test_it_is_what_clients_send() -> None:
    assert parse('/v2/meters/a%2Fb/statistics?q.field=project&q.op=&'
                 'q.value=p+1&q.type=&period=60') == Question(
        kind=Kind.STATISTICS, name='a/b', period=60,
        rules=(Rule('project', 'eq', 'p 1'),))


@pytest.mark.parametrize('text', [
    '/v2/alarms', '/v2/meters/a/b', '/v3/meters', '/v2/meters?colour=red',
    '/v2/samples?limit=many', '/v2/samples?limit=1&limit=2',
    '/v2/samples?q.field=user', '/v2/meters/a/statistics?period=-60',
    '/v2/samples?limit=-1', '/v2/samples?limit=0', '/v2/samples?limit=1e2',
    '/v2/samples?q.field=user&q.op=eq&q.op=eq&q.value=a'])
def test_what_is_no_question_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r'\w+ \w+ \w+'):
        parse(text)
