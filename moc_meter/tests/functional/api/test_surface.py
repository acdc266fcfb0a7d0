# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import logging
import urllib.parse
from typing import Any

import pytest

from moc_meter.model import query
from moc_meter.tests.contract.fakes import FakeStore
from moc_meter.tests.functional.api import wiring

ALLOWED = {'/': 'GET', '/v2/meters': 'GET', '/v2/samples': 'GET',
           '/v2/resources': 'GET', '/v2/samples/x': 'GET',
           '/v2/resources/x/y': 'GET', '/v2/meters/x': 'GET, POST',
           '/v2/meters/x/statistics': 'GET', '/v2/query/samples': 'POST',
           '/v2/capabilities': 'GET', '/v2/resources/x/history': 'GET'}


VERBS = ('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE')
OTHERS = [(url, verb) for url, allowed in ALLOWED.items() for verb in VERBS
          if verb not in allowed]


@pytest.mark.parametrize(('url', 'verb'), OTHERS)
@pytest.mark.parametrize('slash', ['', '/'])
def test_another_verb_is_answered_with_those_allowed(
        api: Any, url: str, slash: str, verb: str) -> None:
    answer = api.request(url.rstrip('/') + slash or '/', method=verb,
                         status=405)
    assert answer.headers['Allow'] == ALLOWED[url]
    assert verb == 'HEAD' or 'not allowed' in wiring.complaint(answer)


@pytest.mark.parametrize('url', [
    '/v2', '/v2/', '/v1', '/v3', '/v1/alarms', '/nothing', '/v2/alarms',
    '/v2/meters/x/y', '/v2/meters/x/statistics/y', '/v2/samples/x/y',
    '/v2/meters//', '/v2/meters//statistics', '/v2/resources//',
    '/v2/query', '/v2/query/meters', '/v2/event_types/x',
    '/v2/ingest/x', '/v2/__class__', '/v2/_route', '/_route', '/index',
    '//v2/meters', '/v2//meters', '/v2/meters.json', '/V2/meters',
])
@pytest.mark.parametrize('verb', ['GET', 'POST', 'DELETE'])
def test_an_unknown_path_is_not_found(api: Any, url: str, verb: str) -> None:
    answer = api.request(url, method=verb, status=404)
    assert wiring.complaint(answer) == 'There is nothing at this path'


@pytest.mark.parametrize('url', ['/v2/meters', '/v2/samples/x', '/'])
def test_no_parameter_stands_for_a_verb(api: Any, url: str) -> None:
    answer = api.get(f'{url}?_method=delete', status=400)
    assert wiring.complaint(answer) == 'Unknown argument: "_method"'


@pytest.mark.parametrize('name', [
    'a.xml', 'a.json', 'x.tar.gz', 'new', 'edit', 'delete', 'statistics',
    'größe', 'instance:m1.small', 'a b', 'a+b', '100%', "it's", '..', '😀'])
def test_a_name_is_any_text_and_no_file(api: Any, name: str) -> None:
    url = f'/v2/meters/{urllib.parse.quote(name, safe="")}'
    api.post_json(f'{url}?direct=1', [wiring.posted(counter_name=name)])
    answer = api.get(url)
    assert answer.headers['Content-Type'] == 'application/json'
    assert [one['counter_name'] for one in answer.json] == [name]
    assert len(api.get(f'{url}/statistics').json) == 1


def test_a_name_may_hold_a_slash_where_the_server_tells_which(api: Any
                                                              ) -> None:
    def ask(verb: str, url: str, **values: Any) -> Any:
        return getattr(api, verb)(url, **values, extra_environ={
            'REQUEST_URI': f'/prefix{url}'})

    body = [wiring.posted(counter_name='a/b')]
    ask('post_json', '/v2/meters/a%2Fb?direct=1', params=body)
    assert len(ask('get', '/v2/meters/a%2Fb').json) == 1
    assert len(ask('get', '/v2/meters/a%2Fb/statistics').json) == 1
    ask('get', '/v2/meters/a/b', status=404)


@pytest.mark.parametrize('url', ['/v2/meters/x', '/v2/meters/x/',
                                 '/v2/meters/x/statistics/', '/v2/samples/'])
def test_nothing_known_is_an_empty_list(api: Any, url: str) -> None:
    assert api.get(url).json == []


@pytest.mark.parametrize(('url', 'said'), [
    ('/v2/samples?%ff=1', 'The URL is not UTF-8'),
    ('/v2/samples?q.value=%ff', 'The URL is not UTF-8'),
    ('/v2/%ff', 'The URL is not UTF-8'),
    ('/v2/samples?q[0].field=user', 'Unknown argument'),
    ('/v2/samples?q.nonsense=1', 'Unknown argument: "q.nonsense"'),
    ('/v2/samples?q=1', 'Unknown argument: "q"'),
    ('/v2/samples/x?limit=1', 'Unknown argument: "limit"'),
    ('/v2/resources/x?limit=1', 'Unknown argument: "limit"'),
    ('/v2/meters?meter_links=1', 'Unknown argument: "meter_links"'),
    ('/v2/meters?limit=0', 'Limit must be positive'),
])
def test_a_bad_url_is_a_bad_request(api: Any, url: str, said: str,
                                    caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert said in wiring.complaint(api.get(url, status=400))
    assert not caplog.records


def test_a_post_knows_one_parameter(api: Any) -> None:
    answer = api.post_json('/v2/meters/x?limit=1', [], status=400)
    assert wiring.complaint(answer) == 'Unknown argument: "limit"'


def test_what_the_request_accepts_is_served(
        api: Any, caplog: pytest.LogCaptureFixture) -> None:
    wiring.keep(api, [wiring.posted()])
    for accept in ('application/xml', 'text/xml'):
        answer = api.get('/v2/samples', headers={'Accept': accept})
        assert answer.headers['Content-Type'] == accept
        assert answer.xml.find('item/volume').text == '8.0'
    answer = api.get('/v2/samples', headers={'Accept': 'text/html'},
                     status=406)
    assert 'text/html' in wiring.complaint(answer)
    assert not caplog.records


def test_a_fault_is_told_in_xml_where_that_is_preferred(api: Any) -> None:
    for url, status in (('/nothing', 404), ('/v2/samples?limit=0', 400)):
        answer = api.get(url, headers={'Accept': 'application/xml'},
                         status=status)
        assert answer.headers['Content-Type'] == 'application/xml'
        assert answer.xml.find('error/faultcode').text == 'Client'


def test_xml_is_well_formed_whatever_a_text_holds(api: Any) -> None:
    wiring.keep(api, [wiring.posted(resource_id='a\x01b\ufffe')])
    xml = {'Accept': 'application/xml'}
    answer = api.get('/v2/samples', headers=xml)
    assert answer.xml.find('item/resource_id').text == 'a\ufffdb\ufffd'
    answer = api.get('/v2/samples?%01', headers=xml, status=400)
    assert '\ufffd' in answer.xml.find('error/faultstring').text


class Broken(FakeStore):
    """A store with a fault of ours in it."""

    def samples(self, *_: object, **__: object
                ) -> list[query.StoredSample]:
        raise ZeroDivisionError('SELECT secret')


def test_a_fault_of_ours_is_told_without_its_text_and_logged_once(
        caplog: pytest.LogCaptureFixture) -> None:
    answer = wiring.client(Broken()).get('/v2/samples', status=500)
    said = wiring.complaint(answer)
    assert 'secret' not in answer.text
    [record] = caplog.records
    assert said.split()[-1] in record.getMessage()
    assert 'SELECT secret' in caplog.text
