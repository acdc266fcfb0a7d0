# SPDX-License-Identifier: Apache-2.0
"""Discovery and billing reads, on the worked example and more."""

from __future__ import annotations

from typing import Any

import pytest

from moc_meter.api.v1.components import Components
from moc_meter.model import meter
from moc_meter.storage.samples.base import SampleStore
from moc_meter.tests.functional.api import wiring
from moc_meter.tests.functional.api.wiring import MEMBER, posted

DISK = '/v1/projects/p1/meters/disk.gb'
NOUNS = ('users', 'projects', 'sources', 'resources')
EVERY_LIST = (
    'components', 'components/other/meters', 'meters', *NOUNS,
    'sources/p1:openstack/users', 'sources/p1:openstack/projects',
    *(f'{scope}/resources' for scope in ('users/u1', 'projects/p1')),
    'resources/a/meters')
EVERY_FIGURE = ('meters/disk.gb', 'samples', 'meters/disk.gb/volume/sum',
                'meters/disk.gb/volume/avg', 'meters/disk.gb/volume/max',
                'meters/disk.gb/duration')
EVERYTHING = (*EVERY_LIST, *(f'users/u1/{figure}' for figure in EVERY_FIGURE))


@pytest.fixture
def example(every_store: SampleStore) -> Any:
    """The worked example; and a project of which p1 is to see nothing."""
    api = wiring.client(every_store, components=Components(
        meter.load(), frozenset(('compute', 'objectstore'))))
    wiring.keep(api, [
        *wiring.table(),
        posted(project_id='p2', user_id='u3', counter_name='vcpus',
               counter_unit='vcpu', source='lab'),
        posted(project_id='p2', user_id='u3', counter_name='volume.size',
               counter_unit='GiB', resource_id='c')])
    return api


def test_the_worked_example(example: Any) -> None:
    range_ = 'start=2026-03-01T10:00&end=2026-03-01T13:00'
    assert example.get(f'{DISK}/volume/sum?{range_}').json == {
        'volume': 15.0, 'unit': 'GB', 'count': 3,
        'start': '2026-03-01T10:00:00', 'end': '2026-03-01T13:00:00'}
    assert example.get(f'{DISK}/volume/avg?{range_}').json['volume'] == 5.0
    assert example.get(f'{DISK}/volume/max?{range_}').json['volume'] == 8.0
    assert example.get(f'{DISK}/duration').json == {
        'duration': 7200.0, 'count': 4, 'start': '2026-03-01T10:00:00',
        'end': '2026-03-01T13:00:00'}


def test_ranges_that_meet_add_up(example: Any) -> None:
    sums = [example.get(f'{DISK}/volume/sum?{range_}').json['volume']
            for range_ in ('end=2026-03-01T12:00', 'start=2026-03-01T12:00',
                           'start=2026-03-01T12:00:00%2B00:00')]
    assert sums == [10.0, 8.0, 8.0]


def test_lists_are_of_what_was_recorded(example: Any) -> None:
    assert {noun: example.get(f'/v1/{noun}').json for noun in NOUNS} == {
        'users': {'users': ['u1', 'u2', 'u3']},
        'projects': {'projects': ['p1', 'p2']},
        'sources': {'sources': ['p1:openstack', 'p2:lab', 'p2:openstack']},
        'resources': {'resources': ['a', 'b', 'c']}}
    assert example.get('/v1/meters').json == {'meters': [
        {'name': 'disk.gb', 'type': 'gauge', 'unit': 'GB'},
        {'name': 'vcpus', 'type': 'gauge', 'unit': 'vcpu'},
        {'name': 'volume.size', 'type': 'gauge', 'unit': 'GiB'}]}


#: What is found in the one list of each answer.
NARROWED: dict[str, list[str]] = {
    'sources/p2:lab/users': ['u3'], 'sources/p2:lab/projects': ['p2'],
    'sources/nobody/users': [], 'users/u2/resources': ['a', 'b'],
    'users/u3/resources': ['a', 'c'], 'projects/p1/resources': ['a', 'b'],
    'sources/p2:lab/resources': ['a'], 'resources/a/resources': ['a'],
    'users?resource=a': ['u1', 'u2', 'u3'],
    'users?resource=a&project=p1': ['u1', 'u2'],
    'users?start=2026-03-01T11:00': ['u2'],
    'users?end=2026-03-01T11:00': ['u1', 'u3'],
    'projects?user=u3&source=p2:lab': ['p2'],
    'users/u1/resources?user=u2': [], 'users?user=': []}


def test_a_list_is_narrowed(example: Any) -> None:
    found = {url: example.get(f'/v1/{url}').json for url in NARROWED}
    assert {url: next(iter(answer.values()))
            for url, answer in found.items()} == NARROWED


def test_meters_belong_to_the_components_of_plugins(example: Any) -> None:
    """And to 'other', where no plugin that is there knows them."""
    assert example.get('/v1/components').json == {
        'components': ['compute', 'other']}
    for component, names in (('compute', ['vcpus']), ('volume', []),
                             ('other', ['disk.gb', 'volume.size'])):
        found = example.get(f'/v1/components/{component}/meters').json
        assert [one['name'] for one in found['meters']] == names
    assert example.get('/v1/components', headers=MEMBER).json == {
        'components': ['other']}


def test_raw_samples_come_oldest_first(example: Any) -> None:
    [old] = example.get('/v1/resources/c/samples').json['samples']
    assert old == example.get('/v2/meters/volume.size').json[0]
    for url, volumes in (
            (DISK, [8.0, 2.0, 5.0, 3.0]), (f'{DISK}?user=u2', [2.0, 5.0, 3.0]),
            (f'{DISK}?resource=b', [5.0, 3.0]), (f'{DISK}?limit=1', [8.0]),
            (f'{DISK}?start=2026-03-01T11:00&end=2026-03-01T13:00',
             [2.0, 5.0]),
            ('/v1/users/u3/samples', [8.0, 8.0]),
            ('/v1/users/u3/samples?meter=vcpus', [8.0]),
            ('/v1/users/u3/meters/disk.gb', [])):
        found = example.get(url).json['samples']
        assert [one['counter_volume'] for one in found] == volumes


def test_a_long_list_goes_on_behind_its_link(example: Any) -> None:
    url: str | None = f'{DISK}?limit=3&user=u2'
    wiring.keep(example, [posted(user_id='u2', counter_volume=volume)
                          for volume in range(1, 6)])
    found = []
    while url:
        answer = example.get(url)
        found += answer.json['samples']
        link = answer.headers.get('Link')
        url = link and link[1:].partition('>')[0]
    assert sorted(one['counter_volume'] for one in found) == [
        1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 5.0, 5.0]
    instants = [one['timestamp'] for one in found]
    assert instants == sorted(instants)


def test_of_no_sample_the_figures_say_so(example: Any) -> None:
    for figure, volume in (('sum', 0.0), ('avg', None), ('max', None)):
        assert example.get(f'{DISK}/volume/{figure}?start=2027-01-01').json \
            == {'volume': volume, 'unit': None, 'count': 0,
                'start': '2027-01-01T00:00:00', 'end': None}
    assert example.get(f'{DISK}/duration?end=2020-01-01').json == {
        'duration': 0.0, 'count': 0, 'start': None,
        'end': '2020-01-01T00:00:00'}


def test_a_resource_with_one_sample_lasts_no_time(example: Any) -> None:
    assert example.get('/v1/users/u1/meters/disk.gb/duration'
                       ).json['duration'] == 0.0


def test_units_are_never_added_up(example: Any) -> None:
    wiring.keep(example, [posted(counter_unit='GiB', resource_id='b',
                                 timestamp='2026-03-01T15:30:00')])
    answer = example.get(f'{DISK}/volume/sum', status=400)
    assert "['GB', 'GiB']" in wiring.complaint(answer)
    assert example.get(f'{DISK}/volume/sum?resource=a').json['volume'] == 10.0
    # What is measured does not matter to how long: b is seen till 15:30.
    assert example.get(f'{DISK}/duration').json['duration'] == 3600 + 12600


def test_a_limited_caller_sees_the_own_project(example: Any) -> None:
    for url in EVERYTHING:
        answer = example.get(f'/v1/{url}', headers=MEMBER)
        assert answer.json == example.get(f'/v1/{url}?project=p1').json
        assert 'p2' not in answer.text


@pytest.mark.parametrize('url', EVERYTHING)
def test_what_must_not_be_asked_is_refused(api: Any, url: str) -> None:
    for query, headers, status in (
            ('project=p2', MEMBER, 401), ('', {'X-Roles': 'member'}, 403),
            ('wrong=1', {}, 400), ('start=now', {}, 400),
            ('user=a&user=a', {}, 400), ('user=%00', {}, 400)):
        wiring.complaint(api.get(f'/v1/{url}?{query}', headers=headers,
                                 status=status))


@pytest.mark.parametrize('figure', ['resources', 'meters', *EVERY_FIGURE])
def test_another_project_is_not_authorized_as_a_scope(
        api: Any, figure: str) -> None:
    answer = api.get(f'/v1/projects/p2/{figure}', headers=MEMBER,
                         status=401)
    assert wiring.complaint(answer) == 'Not Authorized to access project p2'


@pytest.mark.parametrize('url', [
    '', 'alarms', 'users/u1', 'users/u1/users', 'components/x', 'meters/m',
    f'{DISK}/volume'[4:], f'{DISK}/volume/min'[4:], 'users//samples'])
def test_nothing_else_is_there(api: Any, url: str) -> None:
    wiring.complaint(api.get(f'/v1/{url}', status=404))


def test_it_is_read_only_and_not_advertised(api: Any) -> None:
    answer = api.post_json('/v1/users', [], status=405)
    assert answer.headers['Allow'] == 'GET'
    assert '/v1' not in api.get('/').text


def test_a_list_is_written_as_xml_too(api: Any) -> None:
    wiring.keep(api, [posted()])
    assert api.get('/v1/users', headers={'Accept': 'application/xml'}
                   ).text == '<result><users><item>u1</item></users></result>'
    assert api.get('/v1/users?user=x', headers={'Accept': 'application/xml'}
                   ).text == '<result><users /></result>'
