# SPDX-License-Identifier: Apache-2.0
"""What comes of a notification; without database and configuration."""

from __future__ import annotations

import datetime
import json
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


def test_captured_messages_give_what_they_must() -> None:
    messages = sorted((DATA / 'messages').glob('*.json'))
    done = subprocess.run(
        [*COMMAND, 'notification', 'explain', *messages],
        capture_output=True, timeout=60, check=True)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    expected = [one for path in messages for one in json.loads(
        (DATA / 'expected' / path.name).read_text())['expected']]
    names = ('name', 'type', 'unit', 'resource_id', 'project_id', 'user_id',
             'timestamp')

    def shown(one: dict[str, Any]) -> str:
        instant = datetime.datetime.fromisoformat(one['timestamp'])
        return repr([one[name] for name in names[:-1]]
                    + [instant, f'{float(one["volume"]):.9g}'])

    assert sorted(shown(one) for one in said if 'name' in one) == sorted(
        shown(one) for one in expected if one['profile'] != 'versioned')
    assert len(messages) > 20
