# SPDX-License-Identifier: Apache-2.0
"""Files that survive a power cut and have one owner at a time."""

from __future__ import annotations

import errno
import fcntl
import io
import os
from pathlib import Path
from typing import IO

from moc_meter import errors


def own(path: Path) -> IO[str]:
    """Lock the path by a file beside it, with our process id in it.

    It is let go by closing what is returned, and by the end of the process,
    however that comes about.
    Raises InvalidConfiguration, which names the holder, where it is taken,
    or there can be no such file.
    """
    try:
        lock = path.with_name(f'{path.name}.lock').open('a+')
    except OSError as fault:
        raise errors.InvalidConfiguration(
            'the file cannot be locked', path=str(path),
            reason=str(fault)) from fault
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read()
        lock.close()
        raise errors.InvalidConfiguration(
            'another process has it open', path=str(path),
            pid=holder) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def append(file: io.FileIO, content: bytes) -> None:
    """Write at the end of the file; return when it is on disk.

    Raises SpoolFull where there is no room; then nothing was written.
    """
    end = file.seek(0, os.SEEK_END)
    rest = memoryview(content)
    try:
        while rest:
            rest = rest[file.write(rest):]
        os.fsync(file.fileno())
    except OSError as fault:
        file.truncate(end)
        if fault.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise errors.SpoolFull('the disk of the file is full',
                               reason=str(fault)) from fault


def make_folder(folder: Path) -> None:
    """Make the folder, and those above it, for good."""
    if not folder.exists():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync(folder.parent)


def sync(folder: Path) -> None:
    """Force the folder's entries to disk: a new file is one of them."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
