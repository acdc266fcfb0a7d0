# SPDX-License-Identifier: Apache-2.0
"""The spool: messages on local disk until the bus has them."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from moc_meter import errors
from moc_meter.publisher import disk

#: Bytes of the disk that a new message leaves free, besides the room that it
#: takes twice, in the log and in the file: what leaves the spool has to be
#: written down as well, so a spool that filled its disk could never empty.
_RESERVE = 32 * 1024 * 1024
#: Messages that are removed in one transaction.
_PART = 1000
#: Tells our files from the SQLite files of others: 'mmsp'.
_APPLICATION = 0x6D6D7370


class Spool:
    """A queue of messages that outlives the process, oldest first.

    An SQLite file with a write-ahead log that is forced to disk with every
    commit. Pages of removed messages are used again, so the file grows to
    about the cap and no further. May be used by several threads, and by one
    process at a time.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        """Open the spool; make it where there is none yet.

        max_bytes: what all waiting messages may have together.
        Raises InvalidConfiguration where another process has it open, and
        where the file is damaged or is something else: what waits there is
        never thrown away to begin anew.
        """
        self._max_bytes = max_bytes
        self._folder = path.parent
        self._lock = threading.Lock()
        try:
            disk.make_folder(path.parent)
            self._owner = disk.own(path)
            try:
                self._connection = _open(path)
            except BaseException:
                self._owner.close()
                raise
        except (OSError, sqlite3.DatabaseError) as fault:
            raise errors.InvalidConfiguration(
                'the spool cannot be opened; mend it or move it away',
                path=str(path), reason=str(fault)) from fault
        self._count, self._bytes = _measure(self._connection)
        self._gone = 0      # last number removed, be it written down or not

    @property
    def waiting(self) -> tuple[int, int]:
        """Messages that wait, and their bytes."""
        with self._lock:
            return self._count, self._bytes

    def append(self, messages: Sequence[bytes]) -> None:
        """Return when all the messages are on disk, in this order.

        Raises SpoolFull where the cap or the disk has no room for all of
        them, BatchTooLarge where no waiting would make room below the cap:
        then none was taken.
        """
        size = sum(map(len, messages))
        if size > self._max_bytes:
            raise errors.BatchTooLarge('a batch is larger than the spool',
                                       bytes=size, cap=self._max_bytes)
        with self._lock:
            if self._bytes + size > self._max_bytes:
                raise errors.SpoolFull(
                    'the spool has reached its cap', waiting=self._count,
                    bytes=self._bytes, wanted=size, cap=self._max_bytes)
            free = shutil.disk_usage(self._folder).free
            if free < 2 * size + _RESERVE:
                raise errors.SpoolFull(
                    'the disk of the spool is full', waiting=self._count,
                    free=free, wanted=size, reserve=_RESERVE)
            with self._transaction() as connection:
                connection.executemany(
                    'INSERT INTO message (content) VALUES (?)',
                    [(message,) for message in messages])
            self._count += len(messages)
            self._bytes += size

    def peek(self, limit: int) -> list[tuple[int, bytes]]:
        """The oldest messages and their numbers; they stay."""
        with self._lock:
            return self._connection.execute(
                'SELECT id, content FROM message WHERE id > ? '
                'ORDER BY id LIMIT ?', (self._gone, limit)).fetchall()

    def remove(self, last: int) -> None:
        """Forget the messages up to this number.

        Raises SpoolFull where the disk has no room to write that down. They
        do not wait any more all the same; only another start finds them
        again, unless a later removal is written down before.
        """
        with self._lock:
            (count, size), = self._connection.execute(
                'SELECT count(*), coalesce(sum(length(content)), 0) '
                'FROM message WHERE id > ? AND id <= ?', (self._gone, last))
            self._gone = max(self._gone, last)
            self._count -= count
            self._bytes -= size
            while self._removed(_PART) == _PART:
                pass        # what could not be written down before, too

    def close(self) -> None:
        """Let the next owner in; what waits stays."""
        with self._lock:
            self._connection.close()
            self._owner.close()

    def _removed(self, limit: int) -> int:
        with self._transaction() as connection:
            return connection.execute(
                'DELETE FROM message WHERE id IN (SELECT id FROM message '
                'WHERE id <= ? ORDER BY id LIMIT ?)',
                (self._gone, limit)).rowcount

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All of it on disk at the end, or nothing."""
        try:
            with self._connection as connection:
                yield connection
        except sqlite3.OperationalError as fault:
            if fault.sqlite_errorcode != sqlite3.SQLITE_FULL:
                raise
            raise errors.SpoolFull('the disk of the spool is full',
                                   reason=str(fault)) from fault


def _open(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600)     # what tenants do is nobody else's business
    connection = sqlite3.connect(path, check_same_thread=False)
    try:
        # Nobody else may open it, so it needs no shared memory beside it: a
        # disk that is full has no room for that.
        connection.execute('PRAGMA locking_mode = EXCLUSIVE')
        connection.execute('PRAGMA synchronous = FULL')
        if _is_new(connection):
            _make(connection)
    except BaseException:
        connection.close()
        raise
    disk.sync(path.parent)
    return connection


def _make(connection: sqlite3.Connection) -> None:
    connection.execute('PRAGMA journal_mode = WAL')
    with connection:
        connection.execute(f'PRAGMA application_id = {_APPLICATION}')
        # AUTOINCREMENT: the number of a message is never used again.
        connection.execute(
            'CREATE TABLE message (id INTEGER PRIMARY KEY AUTOINCREMENT, '
            'content BLOB NOT NULL)')


def _is_new(connection: sqlite3.Connection) -> bool:
    """Raise DatabaseError where the file is damaged or not a spool."""
    (tables,), = connection.execute('SELECT count(*) FROM sqlite_master')
    (application,), = connection.execute('PRAGMA application_id')
    if tables and application != _APPLICATION:
        raise sqlite3.DatabaseError('the file is no spool')
    (verdict,), *_ = connection.execute('PRAGMA quick_check')
    if verdict != 'ok':
        raise sqlite3.DatabaseError(verdict)
    return not tables


def _measure(connection: sqlite3.Connection) -> tuple[int, int]:
    (count, size), = connection.execute(
        'SELECT count(*), coalesce(sum(length(content)), 0) FROM message')
    return count, size
