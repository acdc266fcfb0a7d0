# SPDX-License-Identifier: Apache-2.0
"""Our commands in OpenStack's own client, as its users run it."""

from __future__ import annotations

import csv
import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from moc_meter.tests.functional.api import wiring
from moc_meter.tests.functional.api.cloud import Cloud
from moc_meter.tests.functional.api.live import served

REGION = 'Metered'
GROUP = 'openstack.metering.v2'


class Done(NamedTuple):
    """What a command did."""

    status: int
    said: str
    complained: str


class Client(NamedTuple):
    """The client, and the variables of somebody who may read p1."""

    environment: dict[str, str]
    project: str

    def run(self, *words: str, **variables: str) -> Done:
        done = subprocess.run(
            [Path(sys.executable).with_name('openstack'), *words],
            env={**self.environment, **variables}, check=False,
            capture_output=True, text=True, timeout=60,
            stdin=subprocess.DEVNULL)
        return Done(done.returncode, done.stdout, done.stderr)

    def said(self, *words: str) -> str:
        done = self.run('metering', *words)
        assert (done.status, done.complained) == (0, '')
        return done.said


@pytest.fixture(scope='module')
def client(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory
           ) -> Iterator[Client]:
    """The worked example, of p1, behind an endpoint of the catalogue."""
    folder = tmp_path_factory.mktemp('openstackclient')
    project = cloud.projects['p1']
    cloud.user('payer', 'reader', f'/projects/{project}')
    with wiring.store(f'sqlite:///{folder}/meter.sqlite') as store:
        wiring.keep(wiring.client(store), [
            {**sample, 'project_id': owner} for owner in (project, 'other')
            for sample in wiring.table()])
        with served(wiring.client(store, identity=cloud.door())) as url:
            catalogue(cloud, f'{url}/')
            yield Client(project=project, environment={
                'PATH': os.environ['PATH'], 'HOME': str(folder),
                'LANG': 'C.UTF-8', 'COLUMNS': '79',
                'OS_AUTH_URL': cloud.server.url, 'OS_USERNAME': 'payer',
                'OS_PASSWORD': 'word', 'OS_PROJECT_ID': project,
                'OS_USER_DOMAIN_ID': cloud.domains['institute'],
                'OS_REGION_NAME': REGION})


def catalogue(cloud: Cloud, url: str) -> None:
    """Have an endpoint of metering in a region of its own."""
    [service] = cloud.server.admin('GET', '/services?type=metering')[
        'services']
    cloud.server.admin('POST', '/regions', {'region': {'id': REGION}})
    cloud.server.admin('POST', '/endpoints', {'endpoint': {
        'service_id': service['id'], 'interface': 'public', 'url': url,
        'region_id': REGION}})


def test_a_list_is_a_table_of_the_own_project(client: Client) -> None:
    assert client.said('meter', 'list', '-c', 'name', '-c', 'unit',
                       '-c', 'resource_id') == (
        '+---------+------+-------------+\n'
        '| name    | unit | resource_id |\n'
        '+---------+------+-------------+\n'
        '| disk.gb | GB   | a           |\n'
        '| disk.gb | GB   | b           |\n'
        '+---------+------+-------------+\n')


def test_statistics_are_csv_for_a_program(client: Client) -> None:
    rows = csv.DictReader(client.said(
        'statistics', 'disk.gb', '--start', '2026-03-01T10:00', '--end',
        '2026-03-01T14:00', '--period', '7200', '-f', 'csv').splitlines())
    assert [(row['period_start'], row['sum'], row['count'])
            for row in rows] == [
        ('2026-03-01T10:00:00+00:00', '10.0', '2'),
        ('2026-03-01T12:00:00+00:00', '8.0', '2')]


def test_and_json(client: Client) -> None:
    rows = json.loads(client.said('statistics', 'disk.gb', '--groupby',
                                  'resource_id', '-f', 'json'))
    assert [(row['resource_id'], row['sum']) for row in rows] == [
        ('a', 10), ('b', 8)]


def test_a_relative_time_is_no_option(client: Client) -> None:
    assert client.said('sample', 'list', '--start', '-7d', '-f', 'value'
                       ) == ''


def test_plain_values_are_for_a_shell(client: Client) -> None:
    assert client.said('sample', 'list', '--meter', 'disk.gb', '-f', 'value',
                       '-c', 'volume', '-c', 'resource_id') == (
        'b 3.0\nb 5.0\na 2.0\na 8.0\n')


def test_what_is_refused_is_a_line_of_the_services_own_words(client: Client
                                                             ) -> None:
    done = client.run('metering', 'sample', 'list', '--project', 'other')
    assert (done.status, done.said) == (1, '')
    assert 'Not Authorized to access project other' in done.complained
    assert 'Traceback' not in done.complained


def test_a_region_without_the_service_is_named(client: Client) -> None:
    done = client.run('metering', 'meter', 'list', OS_REGION_NAME='Nowhere')
    assert done.status == 1
    assert 'metering' in done.complained
    assert 'Nowhere' in done.complained


def test_help_needs_no_cloud_and_shows_what_may_be_typed(client: Client
                                                         ) -> None:
    done = client.run('help', 'metering', 'statistics', OS_AUTH_URL='')
    assert done.status == 0
    assert ('openstack metering statistics vcpus --month 2026-03 --groupby '
            'project_id') in done.said


def test_all_that_moc_meter_asks_a_service_is_there() -> None:
    ours = {entry.name: entry.value for entry
            in importlib.metadata.entry_points(group='moc_meter_cli')
            if entry.value.startswith('moc_meter.client.')}
    assert {entry.name: entry.value for entry
            in importlib.metadata.entry_points(group=GROUP)} == {
        f'metering_{name}': value for name, value in ours.items()}
