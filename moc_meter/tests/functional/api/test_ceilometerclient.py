# SPDX-License-Identifier: Apache-2.0
"""The client that Ceilometer's users have, unchanged: every call it knows.

It runs in an environment of its own, as a command and as a library, and
authenticates with a token of a real Keystone.
"""

from __future__ import annotations

import importlib.resources
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from moc_meter.tests.functional.api import described, wiring
from moc_meter.tests.functional.api.cloud import Cloud
from moc_meter.tests.functional.api.live import served

EVENT = 'compute.instance.create.end'
RANGE = ('timestamp>=2026-03-01T10:00:00;'
         'timestamp<2026-03-01T14:00:00')
#: Asks for everything as a library; prints what is found, by name of a call.
CALLS = """
import json, sys
from ceilometerclient import client
api = client.get_client('2', os_token=sys.argv[1], os_endpoint=sys.argv[2])
project, event = sys.argv[3:]
sample = dict(counter_name='lib', counter_type='delta', counter_unit='B',
              counter_volume=2, resource_id='l', project_id=project,
              timestamp='2026-03-01T09:00:00', resource_metadata={'a.b': 'x'})
after = [dict(field='timestamp', op='ge', value='2026-03-01T09:00:00'),
         dict(field='metadata.a.b', op='eq', value='x', type='string')]
found = {}
found['create'] = api.samples.create(direct=True, **sample)
found['create_list'] = api.samples.create_list(
    [dict(sample, counter_volume=3), dict(sample, counter_name='other')],
    direct=True)
found['to the bus'] = api.samples.create(**dict(sample, counter_volume=4))
found['meters'] = api.meters.list(q=after[1:], limit=9)
found['unique meters'] = api.meters.list(unique=True)
found['old samples'] = api.samples.list(meter_name='lib', q=after, limit=9)
found['samples'] = api.new_samples.list(q=after, limit=9)
found['sample'] = [api.new_samples.get(found['samples'][0].id)]
found['statistics'] = api.statistics.list(
    meter_name='lib', q=after, period=60, groupby=['resource_id', 'source'],
    aggregates=[dict(func='sum'), dict(func='cardinality', param='user_id')])
found['resources'] = api.resources.list(q=after, links=True, limit=9)
found['resource'] = [api.resources.get('l')]
found['query'] = api.query_samples.query(
    filter=json.dumps({'=': {'meter': 'lib'}}),
    orderby=json.dumps([{'counter_volume': 'desc'}]), limit=1)
found['capabilities'] = [api.capabilities.get()]
found['events'] = api.events.list(
    q=[dict(field='vcpus', op='ge', value='2', type='integer')], limit=9)
found['event'] = [api.events.get('event-1')]
found['event types'] = api.event_types.list()
found['trait descriptions'] = api.trait_descriptions.list(event)
found['traits'] = api.traits.list(event, 'vcpus')
print(json.dumps({name: [one.to_dict() for one in said]
                  for name, said in found.items()}))
"""


class Client(NamedTuple):
    """An installed client, and what it is to talk to."""

    programs: Path
    url: str
    token: str
    project: str

    def run(self, *command: str) -> list[dict[str, str]]:
        """The rows of the table that a command prints."""
        said = self._run('ceilometer', '--os-token', self.token,
                         '--os-endpoint', self.url, *command)
        heads, *rows = ([cell.strip() for cell in line[1:-1].split('|')]
                        for line in said.splitlines() if line[:1] == '|')
        return [dict(zip(heads, row, strict=True)) for row in rows]

    def show(self, *command: str) -> dict[str, str]:
        """What a command prints of one thing."""
        shown: dict[str, str] = {}
        name = ''
        for row in self.run(*command):
            name = row['Property'] or name
            shown[name] = shown.get(name, '') + row['Value']
        return shown

    def library(self) -> dict[str, Any]:
        said = self._run('python', '-c', CALLS, self.token, self.url,
                         self.project, EVENT)
        found: dict[str, Any] = json.loads(said)
        return found

    def _run(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [self.programs / program, *arguments], capture_output=True,
            text=True, timeout=60, check=False,
            env={'PATH': os.environ['PATH'], 'LANG': 'C.UTF-8'})
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope='session')
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the client is installed, as its users install it."""
    folder = tmp_path_factory.mktemp('ceilometerclient') / 'venv'
    wanted = (importlib.resources.files('moc_meter.tests')
              / 'data' / 'ceilometerclient.txt')
    subprocess.run([sys.executable, '-m', 'venv', '--without-pip', folder],
                   check=True, timeout=60)
    # Our own constraints are about our own environment.
    environment = {name: value for name, value in os.environ.items()
                   if name != 'PIP_CONSTRAINT'}
    subprocess.run(
        [sys.executable, '-m', 'pip', '--python', folder / 'bin' / 'python',
         'install', '--quiet', '--no-deps', '--no-compile', '--requirement',
         str(wanted)], check=True, timeout=240, env=environment)
    return folder / 'bin'


@pytest.fixture(scope='module')
def client(programs: Path, cloud: Cloud,
           tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The worked example is posted by the client itself."""
    project = cloud.projects['p1']
    user = cloud.user('clerk', 'admin', f'/projects/{project}')
    path = tmp_path_factory.mktemp('client') / 'meter.sqlite'
    with wiring.store(f'sqlite:///{path}') as store:
        store.write(described.events(project, user), wiring.NOW)
        with served(wiring.client(store, identity=cloud.door(
                token_cache_time=300))) as url:
            made = Client(programs, url, cloud.in_project('clerk', 'p1'),
                          project)
            _post(made)
            yield made


def _post(client: Client) -> None:
    first, *others = (dict(one, project_id=client.project)
                      for one in wiring.table())
    shown = client.show(
        'sample-create', '-r', 'a', '-m', 'disk.gb', '--meter-type', 'gauge',
        '--meter-unit', 'GB', '--sample-volume', '8', '--user-id', 'u1',
        '--project-id', client.project, '--timestamp',
        str(first['timestamp']), '--resource-metadata',
        '{"disk.kind": "ssd"}', '--direct', 'True')
    assert (shown['name'], shown['volume'], shown['user_id']) == (
        'disk.gb', '8.0', 'u1')
    listed = client.run('sample-create-list', json.dumps(others), '--direct',
                        'True')
    assert volumes(listed) == ['2.0', '5.0', '3.0']


def volumes(rows: Sequence[dict[str, str]]) -> list[str]:
    return [row['Volume'] for row in rows]


def test_meters_are_listed(client: Client) -> None:
    rows = client.run('meter-list', '-q', 'resource_id=a', '-l', '5')
    assert rows == [{
        'Name': 'disk.gb', 'Type': 'gauge', 'Unit': 'GB', 'Resource ID': 'a',
        'User ID': 'u2', 'Project ID': client.project}]
    [row] = client.run('meter-list', '--unique', 'True', '-q', 'user=u2')
    assert (row['Name'], row['Resource ID']) == ('disk.gb', 'None')


def test_samples_are_listed_and_shown(client: Client) -> None:
    rows = client.run('sample-list', '-m', 'disk.gb', '-q', RANGE, '-l', '3')
    assert volumes(rows) == ['3.0', '5.0', '2.0']
    rows = client.run('sample-list', '-q', 'metadata.disk.kind=ssd')
    assert volumes(rows) == ['8.0']
    shown = client.show('sample-show', rows[0]['ID'])
    assert (shown['meter'], shown['volume'], shown['timestamp']) == (
        'disk.gb', '8.0', '2026-03-01T10:00:00')
    assert json.loads(shown['metadata']) == {'disk.kind': 'ssd'}


def test_samples_are_searched(client: Client) -> None:
    rows = client.run(
        'query-samples', '-f', json.dumps({'and': [
            {'=': {'meter': 'disk.gb'}}, {'>': {'volume': 2}}]}),
        '-o', '[{"volume": "ASC"}]', '-l', '2')
    assert volumes(rows) == ['3.0', '5.0']


def test_statistics_have_all_their_options(client: Client) -> None:
    [row] = client.run('statistics', '-m', 'disk.gb', '-q', RANGE)
    assert (row['Sum'], row['Count'], row['Avg'], row['Duration']) == (
        '18.0', '4', '4.5', '10800.0')
    rows = client.run('statistics', '-m', 'disk.gb', '-q', RANGE, '-p',
                      '7200', '-g', 'resource_id', '-g', 'project_id', '-a',
                      'max', '-a', 'cardinality<-user_id')
    assert [(row['Period Start'], row['Max'], row['cardinality/user_id'])
            for row in rows] == [('2026-03-01T10:00:00', '8.0', '2.0'),
                                 ('2026-03-01T12:00:00', '5.0', '1.0')]


def test_resources_are_listed_and_shown(client: Client) -> None:
    rows = client.run('resource-list', '-q', 'metadata.disk.kind=ssd', '-l',
                      '2')
    assert [row['Resource ID'] for row in rows] == ['a']
    shown = client.show('resource-show', 'b')
    assert (shown['resource_id'], shown['user_id']) == ('b', 'u2')


def test_capabilities_are_listed(client: Client) -> None:
    shown = client.show('capabilities')
    assert '"samples:query:complex": true' in shown['api']
    assert '"storage:production_ready": true' in shown['storage']


def test_events_are_listed_and_shown(client: Client) -> None:
    rows = client.run('event-list', '--no-traits', '-l', '2')
    assert [row['Message ID'] for row in rows] == ['event-1', 'event-2']
    rows = client.run('event-list', '--no-traits', '-q', 'vcpus>integer::1')
    assert [row['Message ID'] for row in rows] == ['event-2', 'event-3']
    assert client.show('event-show', 'event-1')['event_type'] == EVENT
    assert client.run('event-type-list') == [{'Event Type': EVENT}]
    rows = client.run('trait-description-list', '-e', EVENT)
    assert {'Trait Name': 'vcpus', 'Data Type': 'integer'} in rows
    rows = client.run('trait-list', '-e', EVENT, '-t', 'vcpus')
    assert sorted(row['Value'] for row in rows) == ['1', '2', '4']


def test_what_is_not_there_is_told_so(client: Client) -> None:
    with pytest.raises(AssertionError, match='Sample not found: x'):
        client.run('sample-show', 'x')
    with pytest.raises(AssertionError, match='Invalid aggregation function'):
        client.run('statistics', '-m', 'disk.gb', '-a', 'mode')


def test_the_library_finds_all_that_is_stored(client: Client) -> None:
    found = client.library()
    assert {name for name, said in found.items() if not said} == set()
    assert {one['counter_volume'] for one in found['old samples']} == {2, 3}
    assert [one['volume'] for one in found['query']] == [3]
    assert found['sample'] == found['samples'][:1]
    [row] = found['statistics']
    assert row['aggregate'] == {'sum': 5, 'cardinality/user_id': 1}
    assert row['groupby']['resource_id'] == 'l'
    [resource] = found['resources']
    assert [link['rel'] for link in resource['links']] == [
        'self', 'lib', 'other']
    assert resource['metadata'] == {'a.b': 'x'}
    assert [one['message_id'] for one in found['events']] == [
        'event-2', 'event-3']
    assert found['event types'] == [{'event_type': EVENT}]
    assert {one['name'] for one in found['traits']} == {'vcpus'}
