# SPDX-License-Identifier: Apache-2.0

import pytest
from webob import exc

from moc_meter.api import negotiation
from moc_meter.api.negotiation import Request


def request(path: str, **environ: str) -> Request:
    made: Request = Request.blank(path, environ=environ)
    return made


@pytest.mark.parametrize(('path', 'parts'), [
    ('/', []), ('/v2', ['v2']), ('/v2/', ['v2']),
    ('/v2/meters/a.xml/', ['v2', 'meters', 'a.xml']),
    ('/v2/meters/gr%C3%B6%C3%9Fe', ['v2', 'meters', 'größe']),
    ('/v2/meters//', ['v2', 'meters', '']),
])
def test_a_path_is_parted_and_decoded(path: str, parts: list[str]) -> None:
    assert negotiation.path_parts(request(path)) == parts


@pytest.mark.parametrize('name', ['REQUEST_URI', 'RAW_URI'])
@pytest.mark.parametrize('prefix', ['', '/telemetry', 'http://h:1/a'])
def test_an_encoded_slash_does_not_part_where_the_raw_uri_is_known(
        name: str, prefix: str) -> None:
    found = request('/v2/meters/a/b/c', **{
        name: f'{prefix}/v2/meters/a%2Fb/c?limit=/1/'})
    assert negotiation.path_parts(found) == ['v2', 'meters', 'a/b', 'c']


def test_a_raw_uri_of_another_path_is_not_believed() -> None:
    found = request('/v2/meters/a/b', REQUEST_URI='/elsewhere')
    assert negotiation.path_parts(found) == ['v2', 'meters', 'a', 'b']


@pytest.mark.parametrize('path', ['/v2/%ff', '/v2?q.field=%ff'])
def test_a_url_that_is_not_utf8_is_a_bad_request(path: str) -> None:
    found = request(path)
    with pytest.raises(exc.HTTPBadRequest):
        print(found.path_info, found.GET)


@pytest.mark.parametrize(('accept', 'chosen'), [
    (None, 'application/json'), ('*/*', 'application/json'),
    ('application/json', 'application/json'),
    ('application/xml', 'application/xml'), ('text/xml', 'text/xml'),
    ('text/html, application/json;q=0.1', 'application/json'),
    ('application/xml;q=0.5, application/json;q=0.4', 'application/xml'),
    ('application/json; charset=UTF-8', 'application/json'),
    ('text/html, application/xml;charset=utf-8;q=0.5', 'application/xml'),
    ('application/*', 'application/json'), ('nonsense', 'application/json'),
    (' ', 'application/json'),
])
def test_the_best_liked_representation_is_chosen(
        accept: str | None, chosen: str) -> None:
    found = Request.blank('/', headers={'Accept': accept} if accept else {})
    assert negotiation.content_type(found) == chosen
    assert negotiation.prefers_xml(found) == (chosen != 'application/json')


@pytest.mark.parametrize('accept', ['text/html', 'application/json;q=0'])
def test_a_request_that_admits_none_of_ours_is_not_acceptable(
        accept: str) -> None:
    found = Request.blank('/', headers={'Accept': accept})
    with pytest.raises(exc.HTTPNotAcceptable):
        negotiation.content_type(found)
    assert not negotiation.prefers_xml(found)


def test_what_xml_cannot_hold_is_replaced() -> None:
    said = negotiation.sayable(
        b'<a>\x01\t&#65534;&#55296;&#128512;&#233;&amp;#1;&lt;</a>')
    assert said == (b'<a>&#65533;\t&#65533;&#65533;&#128512;&#233;&amp;#1;'
                    b'&lt;</a>')
