# SPDX-License-Identifier: Apache-2.0
"""What is reported is kept until it is answered."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from moc_meter import errors
from moc_meter.client import Client, Reporter
from moc_meter.tests.functional.api import wiring
from moc_meter.tests.functional.client.serving import (
    MEMBER,
    Reply,
    Service,
    Stranger,
    half,
    hang,
    hang_up,
    refusal,
    reply,
    strange,
)
from moc_meter.tests.servers.base import until

FUTURE = wiring.NOW.replace(year=2099)
SECOND = """
import sys
from moc_meter.client import Reporter
Reporter('http://127.0.0.1:1', sys.argv[1], source='other')
"""
CHILD = """
import os, sys
from moc_meter.client import Reporter
reporter = Reporter('http://127.0.0.1:1', sys.argv[1], source='mine')
if not os.fork():
    try:
        reporter.report('mail.processed', 1, resource_id='mx1')
    except RuntimeError as fault:
        print(fault, flush=True)
    os._exit(0)
os.wait()
reporter.report('mail.processed', 1, resource_id='mx1')
reporter.close()
print(reporter.waiting)
"""


def report(reporter: Reporter, volume: int = 1, **more: Any) -> str:
    return reporter.report('mail.processed', volume, **{
        'unit': 'mail', 'resource_id': 'mx1', 'timestamp': wiring.NOW,
        **more})


def taken(to: Stranger, accept: Callable[[Any], bool] = lambda _: True
          ) -> None:
    """As the API answers, but that some whole requests are refused."""
    samples = json.loads(to.server.asked[-1][2])
    if all(map(accept, samples)):
        reply(body=json.dumps([
            {'message_id': one['message_id'], 'status': 'stored'}
            for one in samples]).encode())(to)
    else:
        refusal(400, 'poison')(to)


def gate(ready: threading.Event) -> Reply:
    """Ends the connection without an answer, not before all are reported."""
    def wait(to: Stranger) -> None:
        ready.wait(60)
        hang_up(to)
    return wait


def sent(asked: list[tuple[str, dict[str, str], bytes]]) -> list[list[str]]:
    """The ids of each request."""
    return [[one['message_id'] for one in json.loads(body)]
            for _, _, body in asked]


def refusals(reporter: Reporter) -> list[Any]:
    return [json.loads(line, parse_float=Decimal) for line
            in reporter.refused_file.read_text().splitlines()]


def test_three_lines_report_what_was_used(
        service: Service, client: Client, tmp_path: Path) -> None:
    with Reporter(service.url, tmp_path / 'x', source='mine') as reporter:
        made = reporter.report(
            'mail.processed', 3, unit='mail', resource_id='mx1',
            timestamp=wiring.NOW, metadata={'queue': {'name': 'ü'}})
    found = client.sample(made)
    assert (found.meter, found.volume, found.type, found.unit, found.source,
            found.timestamp, found.metadata) == (
        'mail.processed', Decimal(3), 'delta', 'mail', 'mine', wiring.NOW,
        {'queue.name': 'ü'})
    assert (reporter.waiting, reporter.refused, reporter.trouble) == (
        0, 0, None)


@pytest.mark.parametrize('bad', [
    refusal(503), refusal(500), refusal(401), refusal(403), refusal(404),
    refusal(405), reply(body=b'<html>'), reply(body=b'[]'), half, hang_up])
def test_whatever_is_wrong_there_nothing_is_lost(bad: Reply,
                                                 tmp_path: Path) -> None:
    ready = threading.Event()
    with (strange(bad, gate(ready), bad, taken) as server,
          Reporter(server.url, tmp_path, source='mine') as reporter):
        first = report(reporter)
        until(lambda: reporter.trouble, 60, 'trouble')
        assert reporter.waiting == 1
        second = report(reporter)
        ready.set()
        assert reporter.flush(60) == 0
        assert reporter.trouble is None
    ids = sent(server.asked)
    assert {request[0] for request in ids[:4]} == {first}
    assert ids[-1][-1] == second


def test_what_is_refused_is_set_aside_and_holds_up_nobody(
        service: Service, client: Client, tmp_path: Path) -> None:
    with Reporter(service.url, tmp_path, source='mine') as reporter:
        before = report(reporter)
        same = report(reporter, 2, message_id=before, timestamp=wiring.NOW)
        future = report(reporter, 7, timestamp=FUTURE)
        after = report(reporter)
        assert reporter.flush(60) == 0
        assert reporter.refused == 2
        first, second = refusals(reporter)
    assert client.sample(before).volume == client.sample(after).volume == 1
    assert (first['status'], first['sample']['message_id']) == (
        'conflict', same)
    assert (second['status'], second['sample']['message_id'],
            second['sample']['counter_volume']) == ('refused', future, '7')
    assert 'future' in second['reason']
    with Reporter(service.url, tmp_path, source='mine') as again:
        assert again.refused == 2


def test_what_spoils_a_request_is_found_in_it(tmp_path: Path) -> None:
    def choosy(to: Stranger) -> None:
        taken(to, lambda one: one['counter_volume'] != '13')

    ready = threading.Event()
    with (strange(gate(ready), choosy) as server,
          Reporter(server.url, tmp_path, source='mine') as reporter):
        ids = [report(reporter, volume) for volume in range(40)]
        ready.set()
        assert reporter.flush(60) == 0
        [spoiler] = refusals(reporter)
    assert spoiler['sample']['message_id'] == ids[13]
    assert 'poison' in spoiler['reason']
    alone = [one for one in sent(server.asked) if one == [ids[13]]]
    assert len(alone) == 1


def test_it_is_sent_in_batches_and_in_order(tmp_path: Path) -> None:
    ready = threading.Event()
    with (strange(gate(ready), taken) as server,
          Reporter(server.url, tmp_path, source='mine') as reporter):
        ids = [report(reporter, volume) for volume in range(250)]
        ready.set()
        assert reporter.flush(60) == 0
    batches = sent(server.asked)[1:]
    assert [*map(len, batches)] == [100, 100, 50]
    assert [one for batch in batches for one in batch] == ids


def test_what_is_not_sent_waits_for_the_next_start(tmp_path: Path) -> None:
    with (strange(refusal(503)) as away,
          Reporter(away.url, tmp_path, source='mine') as reporter):
        ids = [report(reporter, volume) for volume in range(3)]
    assert reporter.waiting == 3
    with (strange(taken) as back,
          Reporter(back.url, tmp_path, source='mine') as reporter):
        assert reporter.flush(60) == 0
    assert sent(back.asked) == [ids]


def test_a_service_that_hangs_does_not_hold_up_the_end(
        tmp_path: Path) -> None:
    with strange(hang) as server:
        reporter = Reporter(server.url, tmp_path, source='mine')
        report(reporter)
        until(lambda: server.asked, 60, 'the request')
        reporter.close(timeout=0.1)
        with pytest.raises(RuntimeError, match='nothing is sent any more'):
            report(reporter)
        server.gone.set()
        # The files are let go as soon as the request has ended.
        until(lambda: not reporter._thread.is_alive(), 60, 'the thread')
    with Reporter('http://127.0.0.1:1', tmp_path, source='mine') as again:
        assert again.waiting == 1


def test_a_full_spool_tells_the_caller(tmp_path: Path) -> None:
    with (strange(refusal(503)) as server,
          Reporter(server.url, tmp_path, source='mine',
                   max_bytes=1000) as reporter):
        report(reporter)
        with pytest.raises(errors.SpoolFull, match='cap'):
            report(reporter, metadata={'text': 'x' * 600})
        with pytest.raises(errors.BatchTooLarge, match='larger'):
            report(reporter, metadata={'text': 'x' * 2000})
        assert reporter.waiting == 1


@pytest.mark.parametrize('wrong', [
    {'metadata': {'a': object()}}, {'metadata': {'a': '\ud800'}},
    {'volume': 'many'}, {'kind': 'level'}])
def test_what_can_be_no_sample_is_told_at_once(wrong: dict[str, Any],
                                               tmp_path: Path) -> None:
    with Reporter('http://127.0.0.1:1', tmp_path, source='mine') as reporter:
        with pytest.raises(errors.InvalidSample):
            report(reporter, **wrong)
        assert reporter.waiting == 0


def test_a_directory_belongs_to_one_process(tmp_path: Path) -> None:
    with Reporter('http://127.0.0.1:1', tmp_path, source='mine'):
        done = subprocess.run(
            [sys.executable, '-c', SECOND, tmp_path], check=False, text=True,
            capture_output=True, timeout=60)
    assert f"pid='{os.getpid()}'" in done.stderr.splitlines()[-1]


def test_the_child_of_a_fork_is_told_that_it_has_none(tmp_path: Path
                                                      ) -> None:
    done = subprocess.run(
        [sys.executable, '-c', CHILD, tmp_path], check=True, text=True,
        capture_output=True, timeout=60)
    told, waiting = done.stdout.splitlines()
    assert 'after the fork' in told
    assert waiting == '1'


def test_a_torn_line_of_the_refusals_is_not_kept(tmp_path: Path) -> None:
    (tmp_path / 'refused.jsonl').write_bytes(b'{"status": "refused"}\n{"st')
    with Reporter('http://127.0.0.1:1', tmp_path, source='mine') as reporter:
        assert reporter.refused == 1
    assert (tmp_path / 'refused.jsonl').read_bytes() == (
        b'{"status": "refused"}\n')


def test_whoever_sees_one_project_speaks_for_it(service: Service,
                                                tmp_path: Path) -> None:
    with service.client(MEMBER) as member:
        with Reporter(member, tmp_path, source='mine') as reporter:
            made = report(reporter)
            assert reporter.flush(60) == 0
        found = member.sample(made)
    assert (found.project_id, found.source) == ('p1', 'p1:mine')
