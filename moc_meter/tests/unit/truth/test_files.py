# SPDX-License-Identifier: Apache-2.0
"""A world as files."""

from __future__ import annotations

import datetime
import io
import json

import pytest

from moc_meter.cmd.manage import record
from moc_meter.model.admission import Admission
from moc_meter.model.meter import Definitions
from moc_meter.truth import calendar, files
from moc_meter.truth.course import Described
from moc_meter.truth.forms import UNIT, Sample
from moc_meter.truth.world import World

NOW = datetime.datetime(2027, 1, 1, tzinfo=datetime.UTC)


@pytest.mark.parametrize('seed', range(8))
def test_sample_load_reads_every_line_and_admission_takes_it(
        seed: int) -> None:
    world = World(seed, decimals=seed % 2 == 1)
    admission = Admission(definitions=Definitions([]))
    samples = list(world.samples())
    for sample, line in zip(samples, files.lines(samples), strict=True):
        read = admission.admit(record.read(line.encode(), 'other'), NOW)
        assert not read.rounded
        assert sample._replace(
                interval=None, counter_start=None, sequence=None) == Sample(
            read.source, read.message_id, calendar.instant(read.timestamp),
            read.meter, read.kind.value, read.unit,
            int(read.volume.scaleb(9)), read.resource_id, read.project_id,
            read.user_id, read.metadata)


def test_timestamps_are_written_with_and_without_offsets() -> None:
    times = [json.loads(line)['timestamp']
             for line in files.lines(World(1).samples())]
    for end in '+02:00', '-05:30', '+00:00', 'Z', ':00':
        assert any(time.endswith(end) for time in times)


@pytest.mark.parametrize(('volume', 'text'), [
    (0, '0'), (1, '0.000000001'), (-1, '-0.000000001'),
    (1_500_000_000, '1.5'), (-3 * UNIT // 2, '-1.5'), (10 * UNIT, '10'),
    (10 ** 28 + 1, '10000000000000000000.000000001')])
def test_a_volume_has_all_its_digits(volume: int, text: str) -> None:
    assert files.decimal(volume) == text
    sample = next(World(1).samples())._replace(volume=volume)
    [line] = files.lines([sample])
    assert f'"counter_volume":{text},' in line


def test_metadata_know_their_json() -> None:
    said = Described(name='Größe', tags=['a', {'b': None}])
    assert json.loads(said.text) == said
    assert said.text is said.text


def test_files_are_counted_as_they_are_written() -> None:
    world, told = World(1), list[int]()
    for write, things in ((files.write_samples, world.samples()),
                          (files.write_notifications, world.notifications()),
                          (files.write_readings, world.readings())):
        file = io.StringIO()
        count = write(world, file, told.append)
        assert count == len(file.getvalue().splitlines()) == sum(
            1 for _ in things)
        assert told[-1] == count


def test_a_notification_is_written_as_it_is() -> None:
    world, file = World(1), io.StringIO()
    files.write_notifications(world, file, lambda _: None)
    assert [json.loads(line) for line in file.getvalue().splitlines()] == [
        one.message for one in world.notifications()]


def test_what_is_known_of_a_world_is_written() -> None:
    world, file = World(3, decimals=True), io.StringIO()
    files.write_world(world, {'samples.jsonl': 5}, file)
    said = json.loads(file.getvalue())
    facts = said.pop('facts')
    assert said == {
        'version': 2, 'seed': 3, 'scale': 'small', 'decimals': True,
        'source': 'truth-3', 'zone': world.zone,
        'start': calendar.moment(world.start).isoformat(),
        'end': calendar.moment(world.end).isoformat(),
        'counts': {'samples.jsonl': 5}}
    assert [share['share'] for share in facts['shares']] == [
        str(share.share) for share in world.facts.shares]
