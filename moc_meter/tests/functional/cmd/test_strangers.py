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
from moc_meter import conf, errors
from moc_meter.cmd import all_in_one, build_agent
from moc_meter.cmd.greeting import Greeting
from moc_meter.cmd.selfreport import Report
from moc_meter.messaging import codec
from moc_meter.model.sample import Refused, Sample
from moc_meter.publisher import file
from moc_meter.tests.functional.cmd.running import Figures, running, scrape
from moc_meter.tests.servers.base import free_port, until
from moc_meter.tests.unit.agent.polling.makers import ListPublisher

ROOT = Path(moc_meter.__file__).parents[1]
GUIDE = ROOT / 'doc' / 'source' / 'plugin-guide.rst'
BROKEN = ROOT / 'moc_meter' / 'tests' / 'data' / 'broken_plugins'
ODD = ROOT / 'moc_meter' / 'tests' / 'data' / 'odd_plugins'
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
POLLERS = """
[agent]
publisher = file
metrics_port = {port}
host = h-1
[polling]
interval = 2
hypervisor =
hardware = odd.hangs, odd.floods, odd.raises, odd.good
"""
SUCCESS = 'moc_meter_agent_poller_last_success_seconds'


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
    assert {one.source for one in refused} == {'openstack'}
    assert figures['moc_meter_agent_plugin_faults_total',
                   'broken.rubbish'] == 3
    log = (tmp_path / 'log').read_text()
    assert log.count('plugin=broken.rubbish') == 1


def test_pollers_who_hang_or_flood_stop_nobody(tmp_path: Path) -> None:
    port = free_port()
    with running('agent', tmp_path, POLLERS.format(port=port), ODD):
        until(lambda: faults(scrape(port), 'odd.hangs') > 1, 60,
              'a second question to the one that hangs')
        ticks = {sample.timestamp for sample in published(tmp_path)[0]
                 if sample.resource_id == 'h-1'}
        until(lambda: len({
            sample.timestamp for sample in published(tmp_path)[0]
            if sample.resource_id == 'h-1'} - ticks) > 1, 60,
            'later samples of the good one')
        figures = scrape(port)
    samples, _ = published(tmp_path)
    # What was yielded before it hung is a sample like others.
    assert {sample.resource_id.partition('-')[0]
            for sample in samples} == {'h', 'hangs', 'floods'}
    assert faults(figures, 'odd.good') == 0
    for bad in ('odd.hangs', 'odd.floods', 'odd.raises'):
        assert faults(figures, bad) > 1
        assert (SUCCESS, 'hardware', bad) not in figures
        told = [line.partition('reason=')[2] for line
                in (tmp_path / 'log').read_text().splitlines()
                if f'name={bad}' in line]
        # What floods may take too long as well, where the machine is busy.
        assert len(told) == len(set(told)) > 0
    assert figures[SUCCESS, 'hardware', 'odd.good'] > 0


def faults(figures: Figures, poller: str) -> float:
    return figures.get(('moc_meter_agent_poller_faults_total', 'hardware',
                        poller), 0)


@pytest.mark.parametrize(('poller', 'complaint'), [
    ('odd.raises', "reason=\"KeyError('where the doors are')\""),
    ('odd.hangs', 'a call hangs: odd.hangs')])
def test_a_plugin_that_cannot_be_made_is_named_with_its_package(
        monkeypatch: pytest.MonkeyPatch, tmp_path: Path, poller: str,
        complaint: str) -> None:
    monkeypatch.syspath_prepend(ODD)
    monkeypatch.setattr(build_agent, '_PATIENCE', 0.2)
    settings = conf.load('moc-meter-agent', [], version='0')
    settings.set_override('compute', [poller], 'polling')
    with pytest.raises(errors.InvalidPlugin) as refusal:
        build_agent.sources(settings, ListPublisher(), object(),
                            Report(None))
    assert complaint in str(refusal.value)
    assert (refusal.value.facts['name'], refusal.value.facts['package']) == (
        poller, 'odd-pollers')


@pytest.mark.parametrize(('name', 'complaint'), [
    ('odd.raises', "KeyError('where the guests are')"),
    ('odd.hangs', 'a call hangs: guests')])
def test_the_all_in_one_starts_without_a_hypervisor_that_does_not_answer(
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
        name: str, complaint: str) -> None:
    monkeypatch.syspath_prepend(ODD)
    monkeypatch.setattr(all_in_one, '_PATIENCE', 0.2)
    settings = conf.load('moc-meter-all-in-one', [], version='0')
    settings.set_override('hypervisor', name, 'polling')
    greeting = Greeting('http://h:1', '/state', 'h', 10)
    assert all_in_one._hypervisor(settings, greeting) is None
    [note] = greeting._notes
    assert note.startswith('No instances are polled: ')
    assert complaint in note


@pytest.mark.parametrize(('name', 'complaint'), [
    ('raises_at_import', 'the library of the mail server is missing'),
    ('name_clash', 'a plugin is named twice'),
    ('wrong_attributes', 'its event_types must be a tuple of texts')])
def test_what_is_no_plugin_stops_the_start_and_is_named(
        name: str, complaint: str, tmp_path: Path) -> None:
    written = tmp_path / 'x.conf'
    written.write_text(f'[DEFAULT]\nstate_dir = {tmp_path}\n' + OPTIONS.format(
        port=free_port(), machines='', cloud=f'rabbit://h:{free_port()}/'
        ).replace('lab', ''))
    answer = subprocess.run(
        [sys.executable, '-m', 'moc_meter.cmd.agent', '--config-file',
         written],
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
