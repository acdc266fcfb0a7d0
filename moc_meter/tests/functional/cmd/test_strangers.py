# SPDX-License-Identifier: Apache-2.0
"""The package of the plugin guide, to the letter, in real processes."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

import moc_meter
from moc_meter.messaging import codec
from moc_meter.model.sample import Refused, Sample
from moc_meter.publisher import file
from moc_meter.tests.functional.cmd.running import running, scrape
from moc_meter.tests.servers.base import free_port, until

ROOT = Path(moc_meter.__file__).parents[1]
GUIDE = ROOT / 'doc' / 'source' / 'plugin-guide.rst'
BROKEN = ROOT / 'moc_meter' / 'tests' / 'data' / 'broken_plugins'
_BLOCK = re.compile(r'^\.\. code-block:: \w+\n   :caption: (\S+)\n'
                    r'((?:\n|   .*\n)+)', re.MULTILINE)
FILES = {name: textwrap.dedent(text).strip() + '\n'
         for name, text in _BLOCK.findall(GUIDE.read_text())}
MACHINE = {'id': '0f6c1d9e-3c52-4d0a-9d3a-6f6b1f1d2c3e', 'title': 'web',
           'project': 'p-1', 'user': 'u-1', 'on': True, 'vcpus': 2,
           'cpu_time': 10 ** 9, 'memory': 65536, 'disks': ['vda', 'vdb']}
OPTIONS = """
[agent]
publisher = file
metrics_port = {port}
host = h-1
[notification]
url = {cloud}
exchanges = mail, nova
[polling]
interval = 1
hypervisor = lab
libvirt_uri = {machines}
compute = cpu, devices
hardware =
"""


@pytest.fixture(scope='module')
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The guide's package, as its files."""
    folder = tmp_path_factory.mktemp('guide')
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture(scope='module')
def installed(package: Path, tmp_path_factory: pytest.TempPathFactory
              ) -> Path:
    """A folder that the package was installed into."""
    target = tmp_path_factory.mktemp('installed')
    subprocess.run(
        [sys.executable, '-m', 'pip', 'install', '--quiet', '--no-index',
         '--no-build-isolation', '--no-deps', '--target', target, package],
        check=True, timeout=120)
    return target


def test_the_tests_of_the_guide_pass(package: Path, installed: Path) -> None:
    answer = subprocess.run(
        [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider',
         '-W', 'error', 'tests'], cwd=package, capture_output=True,
        text=True, timeout=120,
        env={**os.environ, 'PYTHONPATH': str(installed)})
    assert answer.returncode == 0, answer.stdout
    assert int(answer.stdout.split(' passed')[0].split()[-1]) > 25


def test_plugins_work_by_their_entry_points_alone(
        installed: Path, tmp_path: Path, amqp_url: str) -> None:
    with agent(tmp_path, installed, amqp_url) as port:
        notify(amqp_url, 'mail.sent', {'mailbox': 'm-1', 'tenant_id': 'p-1',
                                       'count': 7})
        until(lambda: {'mail.sent', 'lab.disks', 'cpu'} <= {
            sample.meter for sample in published(tmp_path)[0]}, 60,
            'samples of all three plugins')
        figures = scrape(port)
    samples, refused = published(tmp_path)
    assert {(sample.meter, int(sample.volume), sample.resource_id)
            for sample in samples} == {
        ('mail.sent', 7, 'm-1'), ('lab.disks', 2, MACHINE['id']),
        ('cpu', 10 ** 9, MACHINE['id']), ('vcpus', 2, MACHINE['id'])}
    assert refused == []
    assert figures['moc_meter_agent_poller_last_success_seconds', 'compute',
                   'devices'] > 0
    assert figures['moc_meter_agent_plugin_faults_total', 'mail.sent'] == 0


def test_a_stranger_who_yields_rubbish_stops_nobody(
        installed: Path, tmp_path: Path, amqp_url: str) -> None:
    both = os.pathsep.join(map(str, (installed, BROKEN / 'yields_rubbish')))
    with agent(tmp_path, Path(both), amqp_url) as port:
        for _ in range(3):
            notify(amqp_url, 'mail.sent', {'mailbox': 'm-1',
                                           'tenant_id': 'p-1', 'count': 7})
        until(lambda: len(published(tmp_path)[1]) == 3, 60,
              'what was refused')
        figures = scrape(port)
    samples, refused = published(tmp_path)
    assert len([one for one in samples if one.meter == 'mail.sent']) == 3
    assert all('broken.rubbish: ' in one.reason for one in refused)
    assert figures['moc_meter_agent_plugin_faults_total',
                   'broken.rubbish'] == 3
    log = (tmp_path / 'log').read_text()
    assert log.count('plugin=broken.rubbish') == 1


@pytest.mark.parametrize(('name', 'complaint'), [
    ('raises_at_import', 'the library of the mail server is missing'),
    ('name_clash', 'a plugin is named twice'),
    ('wrong_attributes', 'its event_types must be a tuple of texts')])
def test_what_is_no_plugin_stops_the_start_and_is_named(
        name: str, complaint: str, tmp_path: Path) -> None:
    conf = tmp_path / 'x.conf'
    conf.write_text(f'[DEFAULT]\nstate_dir = {tmp_path}\n' + OPTIONS.format(
        port=free_port(), machines='', cloud=f'rabbit://h:{free_port()}/'
        ).replace('lab', ''))
    answer = subprocess.run(
        [sys.executable, '-m', 'moc_meter.cmd.agent', '--config-file', conf],
        capture_output=True, text=True, timeout=60,
        env={**os.environ, 'PYTHONPATH': str(BROKEN / name)})
    assert answer.returncode == 2
    assert complaint in answer.stderr


@contextlib.contextmanager
def agent(folder: Path, path: Path, url: str) -> Iterator[int]:
    """An agent that sees the packages of path; its port of metrics."""
    machines, port = folder / 'machines.json', free_port()
    machines.write_text(json.dumps({'lab-1': MACHINE}))
    with running('agent', folder, OPTIONS.format(
            port=port, machines=machines,
            cloud=url.replace('amqp://', 'rabbit://')), path):
        yield port


def published(folder: Path) -> tuple[list[Sample], list[Refused]]:
    """What the agent has made durable."""
    batches = [codec.decode(message)
               for message in file.read(folder / 'samples.jsonl')]
    return ([sample for batch in batches for sample in batch.samples],
            [refused for batch in batches for refused in batch.refused])


def notify(url: str, event_type: str, payload: dict[str, object]) -> None:
    """Tell it as a service of the cloud would, from another process."""
    lines = [{'url': url.replace('amqp://', 'rabbit://'),
              'driver': 'messagingv2', 'exchange': 'mail', 'rabbit': {}},
             {'publisher_id': 'mail.h1', 'event_type': event_type,
              'payload': payload}]
    subprocess.run(
        [sys.executable, '-m', 'moc_meter.tests.functional.agent.notifier'],
        input='\n'.join(map(json.dumps, lines)), text=True, check=True,
        timeout=60)
