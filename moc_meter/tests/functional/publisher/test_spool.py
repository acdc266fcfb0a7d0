# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moc_meter import errors
from moc_meter.publisher.spool import Spool
from moc_meter.tests.contract.syscalls import fail, on_a_full_disk


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / 'spool'


@pytest.fixture
def spool(path: Path) -> Iterator[Spool]:
    opened = Spool(path, max_bytes=1000)
    yield opened
    opened.close()


def contents(spool: Spool) -> list[bytes]:
    return [message for _, message in spool.peek(1000)]


def test_messages_come_oldest_first_and_stay_until_removed(spool: Spool
                                                           ) -> None:
    spool.append([b'one', b'two'])
    spool.append([b'three'])
    [(number, _), _] = spool.peek(2)
    assert contents(spool) == [b'one', b'two', b'three']
    spool.remove(number)
    assert contents(spool) == [b'two', b'three']


def test_waiting_counts_messages_and_bytes(spool: Spool) -> None:
    spool.append([b'one', b'three'])
    assert spool.waiting == (2, 8)
    spool.remove(spool.peek(1)[-1][0])
    assert spool.waiting == (1, 5)


def test_a_message_is_removed_once(spool: Spool) -> None:
    spool.append([b'one', b'two'])
    [(number, _)] = spool.peek(1)
    spool.remove(number)
    spool.remove(number)
    assert spool.waiting == (1, 3)


def test_a_removed_number_is_never_used_again(spool: Spool) -> None:
    spool.append([b'one'])
    [(first, _)] = spool.peek(1)
    spool.remove(first)
    spool.append([b'two'])
    spool.remove(first)
    assert contents(spool) == [b'two']


def test_a_batch_beyond_the_cap_is_refused_whole(spool: Spool) -> None:
    spool.append([b'x' * 600])
    with pytest.raises(errors.SpoolFull, match='cap=1000'):
        spool.append([b'y' * 200, b'z' * 201])
    assert spool.waiting == (1, 600)


def test_a_batch_for_which_there_will_never_be_room_says_so(spool: Spool
                                                            ) -> None:
    with pytest.raises(errors.BatchTooLarge, match='cap=1000') as refusal:
        spool.append([b'x' * 1000, b'y'])
    assert (refusal.value.retryable, spool.waiting) == (False, (0, 0))


def test_the_disk_is_never_filled_so_far_that_nothing_can_be_removed(
        spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    spool.append([b'x'])
    monkeypatch.setattr('moc_meter.publisher.spool._RESERVE', 2 ** 62)
    with pytest.raises(errors.SpoolFull, match='disk'):
        spool.append([b'y'])
    spool.remove(spool.peek(1)[-1][0])
    assert spool.waiting == (0, 0)


def test_what_cannot_be_forgotten_does_not_wait_and_is_forgotten_later(
        spool: Spool, path: Path) -> None:
    spool.append([b'one', b'two', b'three'])
    (first, _), (second, _) = spool.peek(2)
    with pytest.raises(errors.SpoolFull, match='disk'):
        on_a_full_disk(lambda: spool.remove(first))
    assert (contents(spool), spool.waiting) == ([b'two', b'three'], (2, 8))
    spool.remove(second)
    spool.close()
    later = Spool(path, max_bytes=1000)
    assert contents(later) == [b'three']
    later.close()


def test_what_waits_is_found_on_a_full_disk(spool: Spool, path: Path
                                            ) -> None:
    spool.append([b'one'])
    spool.close()
    with ThreadPoolExecutor(1) as thread:
        thread.submit(fail, ('pwrite64',), errno.ENOSPC).result()
        later = thread.submit(Spool, path, max_bytes=1000).result()
    assert contents(later) == [b'one']
    later.close()


def test_very_many_are_forgotten_at_once(path: Path) -> None:
    spool = Spool(path, max_bytes=10**6)
    spool.append([b'x'] * 2500)
    spool.remove(spool.peek(2400)[-1][0])
    assert spool.waiting == (100, 100)
    spool.close()
    later = Spool(path, max_bytes=10**6)
    assert later.waiting == (100, 100)
    later.close()


def test_what_is_removed_makes_room(spool: Spool) -> None:
    spool.append([b'x' * 1000])
    spool.remove(spool.peek(1)[-1][0])
    spool.append([b'y' * 1000])
    assert contents(spool) == [b'y' * 1000]


def test_the_next_owner_finds_what_waits(spool: Spool, path: Path) -> None:
    spool.append([b'one', b'three'])
    spool.close()
    later = Spool(path, max_bytes=8)
    assert (contents(later), later.waiting) == ([b'one', b'three'], (2, 8))
    with pytest.raises(errors.SpoolFull):
        later.append([b'x'])
    later.close()


def test_pages_of_removed_messages_are_used_again(path: Path) -> None:
    spool = Spool(path, max_bytes=10**6)
    sizes = []
    for _ in range(60):
        spool.append([b'x' * 50_000] * 4)
        spool.remove(spool.peek(4)[-1][0])
        sizes.append(sum(file.stat().st_size for file in
                         path.parent.glob('spool*')))
    spool.close()
    assert max(sizes) < 6 * 10**6
    assert sizes[-1] == sizes[40]


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    Spool(tmp_path / 'new' / 'deep' / 'spool', max_bytes=10).close()
    assert (tmp_path / 'new' / 'deep' / 'spool').is_file()


def test_nobody_else_may_read_the_file(spool: Spool, path: Path) -> None:
    spool.append([b'one'])
    assert {file.stat().st_mode & 0o077
            for file in path.parent.glob('spool*')
            if file.suffix != '.lock'} == {0}


@pytest.mark.parametrize('place', [0, 100, 5000])
def test_a_damaged_file_is_named_and_left_as_it_is(path: Path, place: int
                                                   ) -> None:
    spool = Spool(path, max_bytes=10**6)
    spool.append([b'x' * 100_000])
    spool.close()
    damaged = bytearray(path.read_bytes())
    damaged[place:place + 5000] = b'\xff' * 5000
    path.write_bytes(damaged)
    with pytest.raises(errors.InvalidConfiguration, match='spool'):
        Spool(path, max_bytes=10**6)
    assert path.read_bytes() == damaged


def test_the_database_of_somebody_else_is_not_taken(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute('CREATE TABLE message (id, content)')
    other.close()
    before = path.read_bytes()
    with pytest.raises(errors.InvalidConfiguration, match='no spool'):
        Spool(path, max_bytes=10)
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / 'file').touch()
    with pytest.raises(errors.InvalidConfiguration, match='file'):
        Spool(tmp_path / 'file' / 'spool', max_bytes=10)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.one_of(
    st.lists(st.binary(max_size=30), max_size=4), st.integers(0, 3))))
def test_it_is_a_queue_whatever_is_done_to_it(
        tmp_path_factory: pytest.TempPathFactory,
        steps: Sequence[list[bytes] | int]) -> None:
    """A list of messages appends them, a number removes so many."""
    spool = Spool(tmp_path_factory.mktemp('queue') / 'spool', max_bytes=200)
    model: list[bytes] = []
    for step in steps:
        if isinstance(step, int):
            spool.remove(max((number for number, _ in spool.peek(step)),
                             default=0))
            del model[:step]
        elif sum(map(len, model + step)) <= 200:
            spool.append(step)
            model += step
        else:
            with pytest.raises((errors.SpoolFull, errors.BatchTooLarge)):
                spool.append(step)
    assert contents(spool) == model
    assert spool.waiting == (len(model), sum(map(len, model)))
    spool.close()
