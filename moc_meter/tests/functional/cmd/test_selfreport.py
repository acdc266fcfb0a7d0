# SPDX-License-Identifier: Apache-2.0
"""What real processes say of themselves, over HTTP."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from moc_meter.cmd.metrics import METRICS
from moc_meter.messaging import amqp, codec
from moc_meter.testing.makers import sample
from moc_meter.tests.functional.cmd.running import Figures, running, scrape
from moc_meter.tests.servers.base import free_port, until
from moc_meter.tests.stores import migrated

AGENT = """
[agent]
metrics_port = {port}
[messaging]
url = amqp://guest:guest@127.0.0.1:{nobody}/
[notification]
url = rabbit://guest:guest@127.0.0.1:{nobody}/
[polling]
interval = 1
hypervisor = libvirt
libvirt_uri = test:///default
compute = cpu
hardware = memory
"""
COLLECTOR = """
[collector]
metrics_port = {port}
[messaging]
url = {url}
[database]
url = {database}
"""


def named(figures: Figures, process: str) -> set[str]:
    return {name for name, *_ in figures
            if name.startswith(f'moc_meter_{process}_')}


def listed(process: str) -> set[str]:
    return {name for name in METRICS
            if name.startswith(f'moc_meter_{process}_')}


def test_an_agent_says_what_it_made_and_what_waits(tmp_path: Path) -> None:
    port, nobody = free_port(), free_port()
    begin, figures = time.time(), dict[tuple[str, ...], float]()

    def settled() -> bool:
        """A message may be made while the figures are told."""
        figures.clear()
        figures.update(scrape(port))
        return (figures['moc_meter_agent_messages_made_total',]
                == figures['moc_meter_agent_spool_messages',] > 0)

    with running('agent', tmp_path, AGENT.format(port=port, nobody=nobody)):
        success = ('moc_meter_agent_poller_last_success_seconds', 'hardware',
                   'memory')
        until(lambda: success in scrape(port), 60,
              'a first reading')
        until(settled, 60, 'all that was made to wait')
    waiting = figures['moc_meter_agent_spool_messages',]
    assert figures['moc_meter_agent_messages_sent_total',] == 0
    assert figures['moc_meter_agent_spool_bytes',] > 100 * waiting
    assert begin - 1 <= figures[success] <= time.time()
    assert figures['moc_meter_agent_plugin_faults_total',
                   'volume.volume'] == 0
    # Nobody in libvirt's test driver is Nova's, so nobody was asked.
    assert named(figures, 'agent') == listed('agent')
    assert named(figures, 'collector') == set()


def test_a_collector_says_what_it_kept(tmp_path: Path, amqp_url: str
                                       ) -> None:
    port, database = free_port(), f'sqlite:///{tmp_path}/meter.sqlite'
    with migrated(database):
        pass
    options = COLLECTOR.format(port=port, url=amqp_url, database=database)
    with running('collector', tmp_path, options):
        sender = amqp.connect(url=amqp_url).sender()
        for message in (codec.encode([sample(1), sample(2)]),
                        codec.encode([sample(2)]),
                        codec.encode([sample(1, volume=sample(9).volume)]),
                        b'rubbish'):
            sender.send(message)
        sender.close()
        until(lambda: scrape(port)['moc_meter_collector_quarantined_total',],
              60, 'the messages to be handled')
        figures = scrape(port)
    assert {name.removeprefix('moc_meter_collector_'): figures[name,]
            for name in named(figures, 'collector')} == {
        'samples_received_total': 4, 'samples_stored_total': 2,
        'samples_duplicate_total': 1, 'samples_conflict_total': 1,
        'samples_expired_total': 0, 'quarantined_total': 1,
        'held_total': 0, 'given_back_total': 0}
    assert named(figures, 'collector') == listed('collector')


@pytest.mark.parametrize('process', ['agent', 'collector'])
def test_a_port_that_is_taken_stops_the_start_and_is_named(
        process: str, tmp_path: Path) -> None:
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
        conf = tmp_path / 'x.conf'
        conf.write_text(f'[{process}]\nmetrics_port = {port}\n')
        answer = subprocess.run(
            [sys.executable, '-m', f'moc_meter.cmd.{process}',
             '--config-file', conf], capture_output=True, text=True,
            timeout=60)
    assert answer.returncode == 2
    assert answer.stderr.startswith(
        f'moc-meter-{process}: metrics_port cannot be listened on')
    assert f'port={port}' in answer.stderr


def test_only_this_machine_is_answered(tmp_path: Path) -> None:
    port = free_port()
    with running('agent', tmp_path, AGENT.format(port=port,
                                                 nobody=free_port())):
        [listening] = [line for line in Path('/proc/net/tcp').read_text()
                       .splitlines() if f':{port:04X} 00000000:0000 0A'
                       in line]
        assert '0100007F:' in listening
