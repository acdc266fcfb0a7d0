# SPDX-License-Identifier: Apache-2.0
"""Ends the servers of a test process that cannot do it any more.

A process that is killed runs no atexit. So each test process has a guard
beside it, which is told the folder of every server, and whose input ends when
the test process does, however that comes. It runs as a script and needs
nothing but the standard library, so that it is there at once.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterable
from pathlib import Path

_ROUNDS = 500     # of 20 ms; nothing outlives SIGKILL for so long

_guards: dict[int, subprocess.Popen[str]] = {}     # by the process guarded


def watch(folder: Path) -> None:
    """Have the server of the folder ended when this process is dead."""
    guard = _guards.get(os.getpid())
    if guard is None:
        guard = _guards[os.getpid()] = subprocess.Popen(
            [sys.executable, '-I', '-S', __file__], stdin=subprocess.PIPE,
            text=True, start_new_session=True)
        # Before the servers': what is registered first is called last.
        atexit.register(_dismiss)
    assert guard.stdin is not None
    guard.stdin.write(f'{folder}\n')
    guard.stdin.flush()


def _dismiss() -> None:
    """Let the guard go; a fork of this process has none of its own."""
    if guard := _guards.pop(os.getpid(), None):
        with guard:     # which ends its input and waits for it
            pass


def residents(folder: Path) -> set[int]:
    """The processes whose home is the folder.

    Every process of a server is given this home, and hands it on.
    """
    home = f'HOME={folder}'.encode()
    found = set()
    for name in filter(str.isdigit, os.listdir('/proc')):
        # Gone in between, or another user's: none of ours.
        with contextlib.suppress(OSError):
            environment = Path(f'/proc/{name}/environ').read_bytes()
            if home in environment.split(b'\0'):
                found.add(int(name))
    return found


def free_memory(pids: Collection[int]) -> None:
    """Remove the shared memory that killed processes made and left.

    A PostgreSQL server has a piece of it as its lock, and only its next
    start would remove it.
    """
    table = Path('/proc/sysvipc/shm').read_text().splitlines()[1:]
    for _, number, _, _, maker, _, users, *_ in map(str.split, table):
        if int(maker) in pids and users == '0':
            subprocess.run(['ipcrm', '-m', number], check=False,
                           capture_output=True)


def _end(folder: Path) -> None:
    killed = set()
    for _ in range(_ROUNDS):
        if not (pids := residents(folder)):
            break
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        killed |= pids
        time.sleep(0.02)
    free_memory(killed)
    shutil.rmtree(folder, ignore_errors=True)


def main(lines: Iterable[str]) -> None:
    """Read the folders to the end of the input, and then clear them."""
    for folder in [Path(line.rstrip('\n')) for line in lines]:
        _end(folder)


if __name__ == '__main__':
    main(sys.stdin)
