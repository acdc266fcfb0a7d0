# SPDX-License-Identifier: Apache-2.0
"""Whatever is asked is answered as the description says.

MOC_METER_TEST_CASES says how many cases there are of each operation.
"""

from __future__ import annotations

import collections
import json
import os
import urllib.parse
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from hypothesis import strategies
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi import checks as openapi_checks

from moc_meter.api import openapi
from moc_meter.tests.functional.api import described, wiring
from moc_meter.tests.functional.api.live import served

CASES = int(os.environ.get('MOC_METER_TEST_CASES', '30'))
#: Of what is asked, in percent, at least so much must be answered with 2xx.
ENOUGH = 30
#: An administrator, somebody with a project, and who says nothing.
CALLERS: tuple[dict[str, str], ...] = (
    {**wiring.MEMBER, 'X-Roles': 'admin'}, wiring.MEMBER, {})
CHECKS = [checks.not_a_server_error, openapi_checks.status_code_conformance,
          openapi_checks.content_type_conformance,
          openapi_checks.response_headers_conformance,
          openapi_checks.response_schema_conformance]
SCHEMA = schemathesis.openapi.from_dict(openapi.document())
each = pytest.mark.parametrize('operation', list(described.operations()),
                               ids=lambda operation: operation.label)


@pytest.fixture(scope='module')
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A live server with the samples of three projects."""
    path = tmp_path_factory.mktemp('described') / 'meter.sqlite'
    with wiring.store(f'sqlite:///{path}') as store:
        api = wiring.client(store)
        api.post_json('/v2/ingest', described.samples())
        store.write(described.events(), wiring.NOW)
        with served(api) as found:
            yield found


@strategies.composite
def cases(draw: Any, operation: described.Operation) -> Any:
    """An example of the document, what the schemas allow, or what they do not.

    What schemas cannot say: that the lists of rules are of one length, and
    that parts of a path name something.
    """
    chosen = draw(strategies.sampled_from(
        ('example', 'example', 'example', 'allowed', 'broken')))
    described_so = SCHEMA[operation.path][operation.verb.upper()]
    if chosen == 'broken' and (operation.said['parameters']
                               or 'requestBody' in operation.said):
        return draw(described_so.as_strategy(
            generation_mode=GenerationMode.NEGATIVE))
    case = draw(described_so.as_strategy())
    case.query = case.query or {}
    if chosen == 'example':
        name = draw(strategies.sampled_from(
            operation.example_names() or ['all']))
        _show(case, operation, name)
        if bodies := list(operation.bodies(name)):
            case.media_type, case.body = draw(strategies.sampled_from(bodies))
        return case
    for (where, name), value in operation.examples('all').items():
        if where == 'path' and draw(strategies.booleans()):
            case.path_parameters[name] = value
    _pair(case.query)
    return case


def _show(case: Any, operation: described.Operation, name: str) -> None:
    case.query = {}
    for (where, parameter), value in operation.examples(name).items():
        part = case.query if where == 'query' else case.path_parameters
        part[parameter] = value


def _pair(query: dict[str, Any]) -> None:
    rules = [key for key in ('q.field', 'q.op', 'q.value', 'q.type')
             if key in query]
    if not {'q.field', 'q.value'} <= set(rules):
        for key in rules:
            del query[key]
        return
    shortest = min(len(query[key]) for key in rules)
    for key in rules:
        query[key] = query[key][:shortest]


@each
def test_every_example_is_answered(operation: described.Operation, url: str
                                   ) -> None:
    for name in operation.example_names() or ['all']:
        asked = operation.examples(name)
        path = operation.path.format(**{
            part: urllib.parse.quote(value, safe='')
            for (where, part), value in asked.items() if where == 'path'})
        for kind, body in list(operation.bodies(name)) or [('', None)]:
            answer = requests.request(
                operation.verb, url + path, timeout=60, params={
                    parameter: value for (where, parameter), value
                    in asked.items() if where == 'query'},
                data=json.dumps(body) if kind else None,
                headers={**CALLERS[0], 'Content-Type': kind})
            assert answer.ok, f'{name}: {answer.text}'


@each
def test_every_answer_is_described(operation: described.Operation, url: str
                                   ) -> None:
    answered: collections.Counter[int] = collections.Counter()
    session = requests.Session()

    @hypothesis.settings(
        max_examples=CASES, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate])
    @hypothesis.given(case=cases(operation),
                      caller=strategies.sampled_from(CALLERS))
    def ask(case: Any, caller: dict[str, str]) -> None:
        answer = case.call(base_url=url, session=session, headers=caller)
        answered[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)

    with session:
        ask()
    good = sum(count for status, count in answered.items()
               if 200 <= status < 300)
    assert good * 100 >= sum(answered.values()) * ENOUGH, answered
