# SPDX-License-Identifier: Apache-2.0
"""Whatever a stranger sends is read or refused, and is no fault of ours."""

from __future__ import annotations

import base64
import json
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from moc_meter.tests.functional.api import described, wiring
from moc_meter.tests.fuzz import parsers

FIELDS = ('user', 'project_id', 'resource', 'source', 'meter', 'timestamp',
          'search_offset', 'message_id', 'metadata.size', 'metadata.a[0]',
          'event_type', 'start_timestamp', 'vcpus', 'nonsense', '')
VALUES = ('a', '', '1', '-1', '1e999', 'nan', 'None', 'True', '[1', '٣',
          '2026-03-01T10:00:00', '0001-01-01', '9999-12-31T23:59:59.999999',
          '2026-03-01+23:59', '99999999999999999999', "'a'", '\ud800', '\0')
KEYS = ('q.field', 'q.op', 'q.value', 'q.type', 'limit', 'marker', 'period',
        'aggregate.func', 'aggregate.param', 'start', 'end', 'at')
WORDS = ('and', 'or', 'not', 'in', 'IN', '=', '!=', '<', '<=', '=~', '=>',
         'xor')
COLUMNS = ('meter', 'user', 'volume', 'timestamp', 'recorded_at', 'type',
           'message_signature', 'metadata.size', 'metadata.', 'id')


def _marker(parts: list[Any]) -> str:
    document = json.dumps(parts).encode()
    return base64.urlsafe_b64encode(document).decode().rstrip('=')


_few = settings(max_examples=300, deadline=None, derandomize=True,
                database=None,
                suppress_health_check=list(HealthCheck))

values = st.sampled_from(VALUES) | st.text(max_size=20)
scalars = (values | st.none() | st.booleans() | st.integers()
           | st.floats(allow_nan=True))
queries = st.lists(st.tuples(
    st.sampled_from(KEYS),
    st.sampled_from((*FIELDS, 'ge', 'lt', 'eq', 'integer', 'datetime'))
    | values), max_size=8).map(lambda pairs: urllib.parse.urlencode(
        pairs, errors='surrogatepass'))
filters = st.recursive(
    st.dictionaries(st.sampled_from(COLUMNS), scalars | st.lists(
        scalars, max_size=3), max_size=2) | scalars,
    lambda inner: st.dictionaries(
        st.sampled_from(WORDS), inner | st.lists(inner, max_size=3),
        min_size=1, max_size=2), max_leaves=8)
#: Such as are what they should be more often than not.
comparisons = st.builds(
    lambda word, column, value: {word: {column: value}},
    st.sampled_from(('=', '!=', '<', '>=', '=~')), st.sampled_from(COLUMNS),
    st.sampled_from(VALUES[:-2]) | st.integers() | st.floats(
        allow_nan=False, allow_infinity=False))
sound = st.recursive(comparisons, lambda inner: st.one_of(
    st.builds(lambda one: {'not': one}, inner),
    st.builds(lambda one, other: {'and': [one, other]}, inner, inner),
    st.builds(lambda one, other: {'or': [one, other]}, inner, inner)),
    max_leaves=6)
#: As decimals write them, of any power of ten.
volumes = st.builds('{}E{:+}'.format, st.integers(-99, 99),
                    st.integers(-10 ** 7, 10 ** 7))
#: As samples have them, but for what is drawn.
places = st.tuples(
    st.integers(), st.integers(), volumes | values, values, values, values,
    st.sampled_from(('gauge', 'delta', 'x')), values, values,
    st.none() | values, st.none() | values).map(list)
markers = (places | st.lists(
    scalars | volumes | st.sampled_from(('gauge', 10 ** 30)),
    max_size=11)).map(_marker)


def _text(said: Any) -> str:
    """In JSON, with numbers that no double holds."""
    return json.dumps(said).replace('"1e999"', '1e999')


@pytest.fixture(scope='module')
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    path = tmp_path_factory.mktemp('fuzzing') / 'meter.sqlite'
    with wiring.store(f'sqlite:///{path}') as store:
        found = wiring.client(store)
        found.post_json('/v2/ingest', described.samples())
        yield found


@pytest.mark.parametrize('name', parsers.NAMES)
@_few
@given(text=st.text() | queries | filters.map(_text) | sound.map(_text)
       | markers)
@example(text='{"=": {"metadata.size": 1e999}}')
@example(text='[' * 100_000)
@example(text=_marker([10 ** 30]))
@example(text=_marker(['gauge', '', '1e9', None]))
def test_any_text_is_read_or_refused(name: str, text: str) -> None:
    parsers.read(name, text)


@_few
@given(said=sound | filters, order=filters)
def test_any_filter_is_answered(api: Any, said: Any, order: Any) -> None:
    for body in ({'filter': _text(said)},
                 {'orderby': _text(order)}):
        answer = api.post_json('/v2/query/samples', body, expect_errors=True)
        assert answer.status_int in (200, 400), answer.text


@settings(_few, max_examples=100)
@given(marker=markers, order=st.sampled_from(COLUMNS[:7]))
@example(marker=_marker([1, 1, '1E+100000', 'a', 'a', 'a', 'gauge', 'a', 'a',
                         None, None]), order='volume')
@example(marker=_marker([1, 1, '0E+999999', 'a', 'a', 'a', 'gauge', 'a', 'a',
                         None, None]), order='volume')
def test_any_marker_is_answered(api: Any, marker: str, order: str) -> None:
    answer = api.post_json(
        f'/v2/query/samples?marker={marker}',
        {'orderby': json.dumps([{order: 'asc'}])}, expect_errors=True)
    assert answer.status_int in (200, 400), answer.text


@pytest.mark.parametrize('path', [
    '/v2/samples', '/v2/meters', '/v2/resources', '/v2/resources/a',
    '/v2/meters/disk.gb/statistics', '/v2/events', '/v1/users',
    '/v1/projects/p1/meters/disk.gb/volume/sum'])
@settings(_few, max_examples=60)
@given(query=queries)
def test_any_query_is_answered(api: Any, path: str, query: str) -> None:
    answer = api.get(f'{path}?{query}', expect_errors=True,
                     headers=wiring.MEMBER)
    assert answer.status_int in (200, 400, 401), answer.text
