# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from moc_meter.model.query import Selection
from moc_meter.storage.samples import rollups
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.functional.cmd.command import Answer, Manage
from moc_meter.tests.servers.base import until
from moc_meter.tests.stores import count

NUMBER = 20_000


def said(number: int = 0, **changes: Any) -> dict[str, Any]:
    return {'counter_name': 'disk', 'counter_type': 'gauge',
            'counter_unit': 'GiB', 'counter_volume': number,
            'resource_id': f'i-{number % 7}', 'message_id': f'm-{number}',
            'timestamp': f'2026-03-01T{number % 24:02}:00:00',
            'resource_metadata': {'size': {'gib': 1.5, 'ha': True}},
            **changes}


def lines(*samples: Any) -> bytes:
    return b''.join(json.dumps(one).encode() + b'\n' for one in samples)


def load(manage: Manage, content: bytes) -> Answer:
    return manage('sample', 'load', '-', stdin=content)


def test_what_was_loaded_is_stored_as_it_was_said(
        manage: Manage, engine: sa.Engine) -> None:
    answer = load(manage, lines(said(counter_volume='0.1')))
    assert answer.objects == [
        {'stored': 1, 'duplicate': 0, 'quarantined': 0}]
    [kept] = SqlSampleStore(engine).samples(Selection(), 10)
    assert str(kept.sample.volume) == '0.100000000'
    assert kept.sample.source == 'openstack'
    assert kept.sample.metadata == {'size': {'gib': 1.5, 'ha': True}}


def test_what_is_not_admitted_goes_to_quarantine(
        manage: Manage, engine: sa.Engine) -> None:
    content = lines(said(1), said(1), said(1, counter_volume=2),
                    said(2, timestamp='2100-01-01'), said(3, colour='red'),
                    'no object')
    answer = load(manage, content)
    assert answer.status == 0
    assert answer.objects == [
        {'stored': 1, 'duplicate': 1, 'quarantined': 4}]
    assert count(engine, tables.quarantine) == 4


def test_it_may_be_killed_and_run_again(
        manage: Manage, engine: sa.Engine, tmp_path: Path) -> None:
    file = tmp_path / 'samples.jsonl'
    file.write_bytes(lines(*map(said, range(NUMBER))))
    process = subprocess.Popen(manage.arguments('sample', 'load', file),
                               stdout=subprocess.DEVNULL)
    while not count(engine, tables.sample) and process.poll() is None:
        pass
    process.kill()
    process.wait()
    before = count(engine, tables.sample)
    assert 0 < before < NUMBER
    [answer] = manage('sample', 'load', file).objects
    assert answer == {'stored': NUMBER - before, 'duplicate': before,
                      'quarantined': 0}
    assert list(rollups.verify(engine)) == []


def test_a_store_that_is_away_is_one_line_and_status_two(
        manage: Manage) -> None:
    manage.file.write_text(
        '[database]\nurl = mysql+pymysql://u:secret@127.0.0.1:1/x\n')
    answer = load(manage, lines(said()))
    assert answer.status == 2
    assert 'secret' not in answer.err
    assert answer.out == b''


def test_an_interruption_says_how_far_it_came_and_what_to_do(
        manage: Manage, engine: sa.Engine) -> None:
    with subprocess.Popen(manage.arguments('sample', 'load', '-'),
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        assert process.stdin
        process.stdin.write(lines(*map(said, range(2500))))
        process.stdin.flush()
        until(lambda: count(engine, tables.sample) == 2000, 60,
              'two batches to be stored')
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, b'')
    [line] = err.decode().splitlines()
    assert 'may be run again' in line
    assert '"quarantined": 0' in line
