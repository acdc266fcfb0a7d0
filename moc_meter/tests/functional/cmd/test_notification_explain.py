# SPDX-License-Identifier: Apache-2.0
"""What comes of a notification; without database and configuration."""

from __future__ import annotations

import datetime
import itertools
import json
import math
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from moc_meter.tests.functional.cmd.command import COMMAND, Answer

DATA = Path(__file__).parents[2] / 'data' / 'notifications'


def flat(**changes: Any) -> dict[str, Any]:
    return {'message_id': 'n-1', 'event_type': 'volume.create.end',
            'publisher_id': 'volume.h1', 'priority': 'INFO',
            'timestamp': '2026-03-01 12:00:00',
            'payload': {'volume_id': 'v-1', 'size': 1.5, 'tenant_id': 'p-1',
                        'user_id': 'u-1'}} | changes


def explain(*messages: Any, asked: tuple[str, ...] = ()) -> Answer:
    done = subprocess.run(
        [*COMMAND, 'notification', 'explain', *asked, '-'],
        input=b'\n'.join(json.dumps(one).encode() for one in messages),
        capture_output=True, timeout=60, check=False)
    return Answer(status=done.returncode, out=done.stdout,
                  err=done.stderr.decode())


def test_each_sample_is_a_line_that_says_who_made_it() -> None:
    answer = explain(flat(), asked=('--profile', 'metric'))
    [said] = answer.objects
    assert answer.status == 0
    assert {**said, 'message_id': len(said['message_id']),
            'metadata': ()} == {
        'name': 'volume.size', 'type': 'gauge', 'unit': 'GiB', 'volume': 1.5,
        'resource_id': 'v-1', 'project_id': 'p-1', 'user_id': 'u-1',
        'timestamp': '2026-03-01T12:00:00', 'message_id': 32,
        'plugin': 'volume.volume', 'metadata': ()}


def test_both_envelopes_say_the_same() -> None:
    wrapped = {'oslo.version': '2.0', 'oslo.message': json.dumps(flat())}
    assert explain(wrapped).out == explain(flat()).out


def test_a_file_may_be_one_message_over_many_lines(tmp_path: Path) -> None:
    file = tmp_path / 'message.json'
    file.write_text(json.dumps(flat(), indent=1))
    done = subprocess.run([*COMMAND, 'notification', 'explain', file],
                          capture_output=True, timeout=60, check=True)
    assert done.stdout == explain(flat()).out


@pytest.mark.parametrize(('message', 'profile', 'reason'), [
    (flat(event_type='volume.unheard'), 'metric', 'no plugin asks'),
    (flat(priority='ERROR'), 'metric', 'priority'),
    (flat(payload='x'), 'metric', 'payload'),
    (flat(event_type='image.send', payload={}), 'existence',
     'plugins make nothing')])
def test_where_there_are_no_samples_it_says_why(
        message: dict[str, Any], profile: str, reason: str) -> None:
    answer = explain(message, asked=('--profile', profile))
    [said] = answer.objects
    assert reason in said['reason']
    assert said['event_type'] == message['event_type']
    assert answer.status == 0


def test_meters_of_a_profile_that_is_off_are_named() -> None:
    message = flat(event_type='image.send', payload={
        'bytes_sent': 5, 'image_id': 'i-1'})
    [said] = explain(message, asked=('--profile', 'existence')).objects
    assert said['meters'] == ['image.download', 'image.serve']


@pytest.mark.parametrize(('profile', 'name', 'plugins'), [
    ('metric', 'nova-versioned-instance-create-end', {
        'compute.versioned': 'its profile is off: versioned'}),
    ('metric,versioned', 'nova-instance-create-end', {
        'compute.instance': 'instead of it is asked: compute.versioned'})])
def test_plugins_that_are_switched_off_are_named_with_the_reason(
        profile: str, name: str, plugins: dict[str, str]) -> None:
    message = json.loads((DATA / 'messages' / f'{name}.json').read_text())
    [said] = explain(message, asked=('--profile', profile)).objects
    assert said['switched_off'] == plugins


def test_a_refusal_names_the_plugin_and_stops_nothing_else() -> None:
    answer = explain(flat(payload={'volume_id': 7}), flat())
    refused, *samples = answer.objects
    assert refused['plugin'] == 'volume.volume'
    assert 'an id must be text' in refused['reason']
    assert len(samples) == 2
    assert answer.status == 1


def test_what_is_no_message_is_named_by_its_line() -> None:
    answer = explain(flat(), 'no object')
    assert answer.objects[-1]['message'] == '-:2'
    assert answer.status == 1


def test_a_profile_that_does_not_exist_is_refused() -> None:
    answer = explain(flat(), asked=('--profile', 'metric,all'))
    assert (answer.status, answer.out) == (2, b'')
    assert '--profile' in answer.err


def test_a_file_that_is_not_there_is_named() -> None:
    answer = explain(asked=('/no/such',))
    assert answer.status == 2
    assert "file='/no/such'" in answer.err


def test_where_there_is_no_message_it_says_so() -> None:
    for content in b'', b'\n \n':
        done = subprocess.run([*COMMAND, 'notification', 'explain', '-'],
                              input=content, capture_output=True, timeout=60,
                              check=True)
        assert 'no message' in json.loads(done.stdout)['reason']


def test_an_interruption_is_one_line() -> None:
    with subprocess.Popen(
            [*COMMAND, 'notification', 'explain', '-'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        # As many as make it write before the end.
        process.stdin.write((json.dumps(flat()) + '\n').encode() * 100)
        process.stdin.flush()
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (
        130, b'moc-meter-manage: interrupted\n')


def test_what_is_no_number_in_a_message_is_shown_as_json() -> None:
    for message in (flat(priority=math.nan), flat(event_type=math.inf),
                    flat(message_id=math.nan)):
        for line in explain(message).out.splitlines():
            json.loads(line, parse_constant=pytest.fail)


def captured(path: Path, profiles: tuple[str, ...]) -> list[dict[str, Any]]:
    """What a captured message must give; user_metadata is of all of it.

    Of what Nova says in both forms, the versioned one.
    """
    found = json.loads((DATA / 'expected' / path.name).read_text())
    if ('versioned' in profiles
            and found['event_type'].startswith('compute.instance.')):
        return []
    told = ({'user_metadata': found['user_metadata']}
            if 'user_metadata' in found else {})
    return [{**one, **told} for one in found['expected']
            if one['profile'] in profiles]


def spelled(one: dict[str, Any]) -> list[Any]:
    return [*(one[name] for name in (
        'name', 'type', 'unit', 'resource_id', 'project_id', 'user_id')),
        datetime.datetime.fromisoformat(one['timestamp'])]


@pytest.mark.parametrize(('asked', 'profiles'), [
    (('--profile', 'metric'), ('metric',)),
    (('--profile', 'existence'), ('existence',)),
    (('--profile', 'versioned'), ('versioned',)),
    ((), ('metric', 'existence')),
    (('--profile', 'metric,existence,versioned'),
     ('metric', 'existence', 'versioned'))], ids='+'.join)
def test_captured_messages_give_what_they_must(
        asked: tuple[str, ...], profiles: tuple[str, ...]) -> None:
    """Each gives its samples, or the one line that says why there are none."""
    messages = sorted((DATA / 'messages').glob('*.json'))
    assert len(messages) == 93
    done = subprocess.run(
        [*COMMAND, 'notification', 'explain', *asked, *messages],
        capture_output=True, timeout=60, check=True)
    lines = map(json.loads, done.stdout.splitlines())
    given = 0
    for path in messages:
        wanted = sorted(captured(path, profiles), key=_place)
        said = sorted(itertools.islice(lines, max(1, len(wanted))),
                      key=_place)
        if not wanted:
            assert 'reason' in said[0], path.name
            continue
        assert [*map(spelled, said)] == [*map(spelled, wanted)], path.name
        for one, other in zip(said, wanted, strict=True):
            assert math.isclose(one['volume'], other['volume'], rel_tol=1e-9)
            if 'user_metadata' in other:
                assert (one['metadata']['user_metadata']
                        == other['user_metadata']), path.name
        given += len(wanted)
    assert list(lines) == []
    assert given > 0


def _place(one: dict[str, Any]) -> tuple[str, str]:
    return one.get('name', ''), one.get('resource_id', '')
