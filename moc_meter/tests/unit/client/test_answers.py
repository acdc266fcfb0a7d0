# SPDX-License-Identifier: Apache-2.0
"""What an HTTP answer says, or what is wrong with it."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from moc_meter.client import answers, faults


def response(status: int = 200, content: bytes = b'[]',
             **headers: str) -> requests.Response:
    made = requests.Response()
    made.status_code, made._content = status, content
    made.url, made.reason = 'http://h/v2/meters?limit=1', 'Reason'
    made.headers.update({name.replace('_', '-'): text
                         for name, text in headers.items()})
    return made


def refused(status: int, text: str, **headers: str) -> faults.ClientFault:
    content = json.dumps({'error_message': {
        'faultcode': 'Client', 'faultstring': text, 'debuginfo': None}})
    with pytest.raises(faults.ClientFault) as found:
        answers.read(response(status, content.encode(), **headers))
    return found.value


@given(st.decimals(allow_nan=False, allow_infinity=False).map(
    lambda number: format(number, 'f')))
def test_a_number_keeps_every_digit(digits: str) -> None:
    [found] = answers.read(response(content=f'[{digits}]'.encode())).document
    assert Decimal(found) == Decimal(digits)


@pytest.mark.parametrize(('status', 'kind'), [
    (400, faults.BadRequest), (401, faults.Unauthorized),
    (403, faults.Forbidden), (404, faults.NotFound),
    (405, faults.BadRequest), (409, faults.Conflict),
    (413, faults.BadRequest), (429, faults.Overloaded),
    (500, faults.ServerFault), (501, faults.ServerFault),
    (502, faults.Overloaded), (503, faults.Overloaded),
    (504, faults.Overloaded)])
def test_every_refusal_has_a_kind_of_its_own(
        status: int, kind: type[faults.ClientFault]) -> None:
    fault = refused(status, 'No', X_Openstack_Request_Id='req-1')
    assert type(fault) is kind
    assert (fault.status, fault.server_code, fault.request_id) == (
        status, 'Client', 'req-1')
    assert str(fault).startswith(f'No: status={status}, request_id=')
    assert fault.next_step
    assert fault.next_step in str(fault)


@pytest.mark.parametrize(('text', 'field', 'value'), [
    ("Invalid input for field/attribute op. Value: 'eq'. unimplemented",
     'op', 'eq'),
    ("Invalid input for field/attribute x. Value: 'it's'. No", 'x', "it's"),
    ('Unknown argument: "foo": unrecognized field', 'foo', None),
    ('Limit must be positive', None, None)])
def test_the_field_and_the_value_are_told(text: str, field: str | None,
                                          value: str | None) -> None:
    fault = refused(400, text)
    assert (fault.field, fault.value) == (field, value)


def test_what_a_server_says_is_harmless_to_a_terminal() -> None:
    fault = refused(400, 'not\x1b[2J\nyou\x9b')
    assert fault.message == r'not\x1b[2J you\x9b'
    assert str(fault).startswith(r'not\x1b[2J you\x9b: status=400. ')


def test_it_is_told_when_to_come_again() -> None:
    assert refused(503, 'Later', Retry_After='7').retry_after == 7.0


@pytest.mark.parametrize(('status', 'content', 'kind'), [
    (200, b'<!DOCTYPE html>', faults.NotAnApi),
    (200, b'', faults.NotAnApi), (404, b'<html>', faults.NotAnApi),
    (404, b'{"error": {"code": 404}}', faults.NotAnApi),
    (302, b'', faults.NotAnApi), (401, b'<html>', faults.Unauthorized),
    (403, b'<html>', faults.Forbidden), (502, b'<html>', faults.Overloaded),
    (413, b'<html>', faults.BadRequest), (500, b'', faults.ServerFault)])
def test_what_others_answer_is_told_from_what_the_api_does(
        status: int, content: bytes, kind: type[faults.ClientFault]) -> None:
    with pytest.raises(faults.ClientFault) as found:
        answers.read(response(status, content, Content_Type='text/html'))
    assert type(found.value) is kind


def test_what_came_instead_of_json_is_shown() -> None:
    with pytest.raises(faults.NotAnApi) as found:
        answers.read(response(content=b'<html>\n <h1>Dashboard</h1>',
                              Content_Type='text/html; charset=utf-8'))
    assert str(found.value) == (
        'the answer is text/html, and no answer of this API: status=200, '
        "url='http://h/v2/meters', begins='<html> <h1>Dashboard</h1>'. "
        f'{faults.NotAnApi.advice}')


def test_whoever_sends_us_elsewhere_is_not_followed() -> None:
    with pytest.raises(faults.NotAnApi, match=r'to=.https://h/login'):
        answers.read(response(302, Location='https://h/login'))


@pytest.mark.parametrize(('link', 'marker'), [
    ('<http://other/v2/x?limit=2&marker=ab_-1>; rel="next"', 'ab_-1'),
    ('<http://h/v2/x?marker=a>; rel="prev"', None),
    ('<http://h/v2/x>; rel="next"', None)])
def test_only_the_marker_of_a_link_is_believed(link: str,
                                               marker: str | None) -> None:
    assert answers.read(response(Link=link)).marker == marker
