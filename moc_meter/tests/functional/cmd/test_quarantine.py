# SPDX-License-Identifier: Apache-2.0
"""What was refused: shown, put back, thrown away."""

from __future__ import annotations

import datetime
import json
import threading
from decimal import Decimal

import pytest
import sqlalchemy as sa

from moc_meter import errors
from moc_meter.collector.service import WHOLE
from moc_meter.messaging import codec, entry
from moc_meter.model import period
from moc_meter.model.query import Selection
from moc_meter.model.sample import Refused
from moc_meter.storage import engine as transactions
from moc_meter.storage import quarantine
from moc_meter.storage.quarantine import Chosen
from moc_meter.storage.samples import rollups
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.functional.cmd.command import Manage
from moc_meter.tests.stores import NOW, count, sample

INVALID = errors.InvalidSample.code
FUTURE = datetime.datetime(2200, 1, 1, tzinfo=datetime.UTC)
NOTIFICATION = {
    'message_id': 'n-1', 'event_type': 'volume.create.end',
    'publisher_id': 'volume.h1', 'priority': 'INFO',
    'timestamp': '2026-03-01 12:00:00',
    'payload': {'volume_id': 'v-1', 'size': 1, 'tenant_id': 'p-1'}}
LINE = {'counter_name': 'disk', 'counter_type': 'gauge',
        'counter_unit': 'GiB', 'counter_volume': 1, 'resource_id': 'a',
        'timestamp': '2026-03-01T10:00:00'}


def refused(content: bytes, code: str = INVALID, origin: str = 'collector',
            reason: str = 'once it was not allowed',
            source: str | None = None) -> Refused:
    return Refused(content=content, code=code, reason=reason, origin=origin,
                   source=source)


@pytest.fixture
def store(engine: sa.Engine) -> SqlSampleStore:
    return SqlSampleStore(engine)


def keep(store: SqlSampleStore, *rows: Refused) -> None:
    for place, row in enumerate(rows):
        store.quarantine([row], NOW + place * period.HOUR)


def stored(store: SqlSampleStore) -> list[str]:
    return [one.sample.meter for one in store.samples(Selection(), 100)]


def test_rows_are_listed_as_a_table_or_as_json(
        manage: Manage, store: SqlSampleStore) -> None:
    keep(store, refused(b'\xff', reason='wrong\x1b[2J'))
    heading, row = manage('quarantine', 'list').out.decode().splitlines()
    assert heading.split()[-1] == 'reason'
    assert row.endswith(r'wrong\x1b[2J')
    [said] = manage('quarantine', 'list', '--json').objects
    assert (said['code'], said['origin'], said['received_at'],
            said['bytes']) == (INVALID, 'collector', '2026-03-04T12:00:00', 1)


@pytest.mark.parametrize(('chosen', 'expected'), [
    (Chosen(), [1, 2, 3]),
    (Chosen(code='y'), [2]), (Chosen(origin='store'), [3]),
    (Chosen(code='y', origin='store'), []),
    (Chosen(start=NOW + period.HOUR), [2, 3]),
    (Chosen(end=NOW + period.HOUR), [1])])
def test_rows_are_chosen_by_every_rule(
        engine: sa.Engine, store: SqlSampleStore, chosen: Chosen,
        expected: list[int]) -> None:
    keep(store, refused(b'1', code='x'), refused(b'2', code='y'),
         refused(b'3', code='x', origin='store'))
    with transactions.reading(engine) as conn:
        assert quarantine.ids(conn, chosen) == expected


def test_a_row_is_shown_with_its_bytes(manage: Manage,
                                       store: SqlSampleStore) -> None:
    keep(store, refused(b'\xff\0\n'))
    heading, _, content = manage('quarantine', 'show',
                                 '1').out.partition(b'\n\n')
    assert b'reason: once it was not allowed' in heading
    assert content == b'\xff\0\n'


def test_what_is_no_more_refused_is_stored_and_leaves(
        manage: Manage, engine: sa.Engine, store: SqlSampleStore) -> None:
    keep(store,
         refused(entry.write_sample(sample(0, meter='line'))),
         refused(codec.encode([sample(1, meter='message')]),
                 code=errors.InvalidMessage.code),
         refused(json.dumps(NOTIFICATION).encode(),
                 origin='agent notification', source='region-7'),
         refused(json.dumps(LINE).encode(), origin='sample load',
                 source='region-8'))
    answer = manage('quarantine', 'release', '--code', INVALID)
    assert [one['stored'] for one in answer.objects] == [1, 2, 1]
    assert manage('quarantine', 'release', '2').status == 0
    assert sorted(stored(store)) == ['disk', 'line', 'message', 'volume',
                                     'volume.size']
    assert {one.sample.meter: one.sample.source
            for one in store.samples(Selection(), 100)} == {
        'line': 'region-1', 'message': 'region-1', 'volume': 'region-7',
        'volume.size': 'region-7', 'disk': 'region-8'}
    assert count(engine, tables.quarantine) == 0
    assert list(rollups.verify(engine)) == []


def test_a_notification_of_no_known_source_is_not_stored_under_ours(
        manage: Manage, store: SqlSampleStore) -> None:
    """Samples of it may be there already, under the right one."""
    keep(store, refused(json.dumps(NOTIFICATION).encode(),
                        origin='agent notification'))
    [answer] = manage('quarantine', 'release', '1').objects
    assert 'which deployment it is of' in answer['reason']
    assert stored(store) == []


def test_what_is_refused_again_stays_with_the_new_reason(
        manage: Manage, store: SqlSampleStore) -> None:
    keep(store, refused(entry.write_sample(sample(0, timestamp=FUTURE))),
         refused(b'nonsense'))
    answer = manage('quarantine', 'release', '1', '2')
    assert answer.status == 1
    assert [one['released'] for one in answer.objects] == [False, False]
    first, second = manage('quarantine', 'list', '--json').objects
    assert 'not in the future' in first['reason']
    assert 'not JSON' in second['reason']


def test_a_conflict_stays_one(manage: Manage, engine: sa.Engine,
                              store: SqlSampleStore) -> None:
    """Whether it is there already as a conflict, or as something else."""
    other = sample(0, volume=Decimal(7))
    store.write([sample(0)], NOW)
    store.write([other], NOW)
    keep(store, refused(entry.write_sample(other)))
    for _ in range(2):
        answer = manage('quarantine', 'release', '--origin', 'store')
        assert answer.status == 1
    assert manage('quarantine', 'release', '--code', INVALID).status == 1
    [left] = manage('quarantine', 'list', '--json').objects
    assert left['code'] == errors.SampleConflict.code
    assert count(engine, tables.sample) == 1


def test_of_long_contents_that_begin_alike_none_is_lost(
        manage: Manage, engine: sa.Engine, store: SqlSampleStore) -> None:
    begin = b'x' * quarantine.MAX_CONTENT
    keep(store, refused(begin + b'1'), refused(begin + b'2'))
    answer = manage('quarantine', 'release', '1', '2')
    assert ['only its beginning' in one['reason']
            for one in answer.objects] == [True, True]
    for number in 1, 2:
        with transactions.writing(engine) as conn:
            quarantine.amend(conn, number, refused(begin, code='x'))
    assert count(engine, tables.quarantine) == 2


def test_of_equal_rows_that_get_one_reason_at_once_one_stays(
        engine: sa.Engine, store: SqlSampleStore, database_url: str) -> None:
    """The second waits until the first has said so, or changed its mind."""
    keep(store, refused(b'1', code='x'), refused(b'1', code='y'))
    other = transactions.make_engine(database_url)
    waiting = threading.Thread(target=transactions.transact, args=(
        other, lambda conn: quarantine.amend(conn, 2, refused(b'1'))))
    with transactions.writing(engine) as conn:
        quarantine.amend(conn, 1, refused(b'1'))
        waiting.start()
        waiting.join(0.5)
        assert waiting.is_alive()
    waiting.join(60)
    other.dispose()
    with transactions.reading(engine) as conn:
        assert [(kept.id, kept.refused.code) for kept in quarantine.rows(
            conn, Chosen())] == [(1, INVALID)]


def test_a_message_with_one_bad_sample_stays_as_a_whole(
        manage: Manage, engine: sa.Engine, store: SqlSampleStore) -> None:
    keep(store, refused(
        codec.encode([sample(0), sample(1, timestamp=FUTURE)]),
        code=errors.InvalidMessage.code))
    assert manage('quarantine', 'release', '1').status == 1
    assert count(engine, tables.sample) == 0
    assert count(engine, tables.quarantine) == 1


def test_a_line_that_came_as_a_message_is_never_less_than_one(
        manage: Manage, store: SqlSampleStore) -> None:
    keep(store, refused(entry.write_sample(sample(1)), origin=WHOLE))
    assert manage('quarantine', 'release', '--origin', WHOLE).status == 1
    assert stored(store) == []


def test_who_signed_a_message_must_be_known(
        manage: Manage, store: SqlSampleStore) -> None:
    keep(store, refused(codec.encode([sample(0)]),
                        code=errors.InvalidSignature.code))
    [answer] = manage('quarantine', 'release', '1').objects
    assert 'trusted_keys' in answer['reason']
    assert stored(store) == []


def test_a_row_that_is_not_there_is_named(manage: Manage) -> None:
    answer = manage('quarantine', 'release', '7')
    assert (answer.status, answer.objects[0]['code']) == (
        1, errors.NotFound.code)
    assert 'id=7' in manage('quarantine', 'show', '7').err


def test_what_no_row_has_is_named_with_what_they_have(
        manage: Manage, store: SqlSampleStore) -> None:
    keep(store, refused(b'1'), refused(b'2', origin='store'))
    answer = manage('quarantine', 'release', '--origin', 'nope')
    assert (answer.status, answer.out) == (2, b'')
    assert "known=['collector', 'store']" in answer.err
    answer = manage('quarantine', 'release', '--code', 'nope')
    assert f"known=['{INVALID}']" in answer.err


def test_a_row_is_released_once(engine: sa.Engine,
                                store: SqlSampleStore) -> None:
    """Two who release it at once do not both store it."""
    keep(store, refused(entry.write_sample(sample(0))))
    store.release(1, [sample(0)], NOW)
    with pytest.raises(errors.NotFound):
        store.release(1, [sample(1)], NOW)
    assert count(engine, tables.sample) == 1


def test_purging_wants_to_be_confirmed(manage: Manage, engine: sa.Engine,
                                       store: SqlSampleStore) -> None:
    keep(store, refused(b'1'), refused(b'2'))
    asked = ('quarantine', 'purge', '--before', '2026-03-04T13:00')
    refusal = manage(*asked)
    assert (refusal.status, '--yes' in refusal.err) == (2, True)
    assert manage(*asked, '--dry-run').objects == [
        {'purged': 0, 'would_purge': 1}]
    assert count(engine, tables.quarantine) == 2
    assert manage(*asked, '--yes').objects == [{'purged': 1}]
    assert count(engine, tables.quarantine) == 1


def test_purging_looks_at_a_few_rows_at_a_time(
        manage: Manage, engine: sa.Engine, store: SqlSampleStore) -> None:
    store.quarantine([refused(b'%d' % number, code='xy'[number % 2])
                      for number in range(1201)], NOW)
    with transactions.writing(engine) as conn:
        purged, until = quarantine.purge(conn, Chosen(code='x'), 0, 1201)
        assert until == 500
        assert 0 < purged < 500
        assert quarantine.purge(conn, Chosen(code='z'), 500, 510) == (0, 510)
    assert manage('quarantine', 'purge', '--yes', '--code', 'x').objects == [
        {'purged': 601 - purged}]
    assert count(engine, tables.quarantine) == 600
