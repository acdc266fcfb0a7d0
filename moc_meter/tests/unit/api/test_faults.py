# SPDX-License-Identifier: Apache-2.0

import json
import logging

import pytest
from webob import exc

from moc_meter import errors
from moc_meter.api import faults


@pytest.mark.parametrize(('fault', 'status'), [
    (errors.InvalidQuery('x'), 400), (errors.InvalidSample('x'), 400),
    (errors.NotAuthorized('x'), 401), (errors.Forbidden('x'), 403),
    (errors.NotFound('x'), 404), (errors.SampleConflict('x'), 400),
    (errors.SampleTooOld('x'), 400), (errors.BusUnavailable('x'), 503),
    (errors.StoreUnavailable('x'), 503),
    (exc.HTTPNotAcceptable('x'), 406), (ZeroDivisionError('x'), 500),
    (errors.StoreMismatch('x'), 500),
])
def test_a_fault_has_its_status(fault: Exception, status: int) -> None:
    assert faults.answer(fault, 'GET /').status == status


def test_a_refusal_says_what_is_wrong_with_which_values() -> None:
    said = faults.answer(errors.InvalidSample('no', unit='B'), 'POST /')
    assert said.text == "no: unit='B'"


def test_an_outage_says_when_to_try_again_and_nothing_of_the_inside(
        caplog: pytest.LogCaptureFixture) -> None:
    said = faults.answer(errors.StoreUnavailable(
        'the store did not answer', reason='password=secret'), 'GET /v2')
    assert said.text == 'the store did not answer'
    assert int(said.headers['Retry-After']) > 0
    assert 'password=secret' in caplog.text


def test_a_fault_of_ours_is_logged_once_and_known_by_its_request_id(
        caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        said = faults.answer(ZeroDivisionError('inside'), 'GET /v2/meters')
    [record] = caplog.records
    request_id = said.text.split()[-1]
    assert 'inside' not in said.text
    assert request_id.startswith('req-')
    assert request_id in record.getMessage()
    assert record.exc_info


def test_the_shape_is_the_same_for_all() -> None:
    made = faults.response(faults.Answer(status=503, text='away'), xml=False)
    assert made.headers['Content-Type'] == 'application/json'
    assert json.loads(made.body) == {'error_message': {
        'faultcode': 'Server', 'faultstring': 'away', 'debuginfo': None}}


def test_the_shape_in_xml() -> None:
    made = faults.response(faults.Answer(status=400, text='a < b'), xml=True)
    assert made.headers['Content-Type'] == 'application/xml'
    assert made.body == (
        b'<error_message><error><faultcode>Client</faultcode>'
        b'<faultstring>a &lt; b</faultstring><debuginfo /></error>'
        b'</error_message>')


def test_a_text_that_quotes_much_input_is_cut() -> None:
    made = faults.response(faults.Answer(status=400, text='x' * 10 ** 6),
                           xml=False)
    assert len(made.body) < 10_000
