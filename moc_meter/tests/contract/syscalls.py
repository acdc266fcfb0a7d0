# SPDX-License-Identifier: Apache-2.0
"""Making system calls of a thread fail, for good, as a bad disk would.

A kill does not show whether a file was forced to disk, since the kernel
outlives the process. What shows it: where forcing fails, nothing may be
promised.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Answer = TypeVar('Answer')

_NUMBERS = {
    'x86_64': {'fsync': 74, 'fdatasync': 75, 'write': 1, 'pwrite64': 18},
    'aarch64': {'fsync': 82, 'fdatasync': 83, 'write': 64, 'pwrite64': 68},
}
_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
_ALLOW = 0x7FFF0000
_FAIL = 0x00050000              # plus the errno
_LOAD, _EQUAL, _GREATER, _RETURN = 0x20, 0x15, 0x25, 0x06
_NUMBER, _FIRST_ARGUMENT = 0, 16    # offsets in struct seccomp_data


def fail(names: tuple[str, ...], error: int) -> None:
    """Let these calls on any file but standard output fail from now on.

    For this thread and those that it starts.
    """
    known = _NUMBERS[platform.machine()]
    wanted = [known[name] for name in names]
    program = [(_LOAD, 0, 0, _FIRST_ARGUMENT), (_GREATER, 1, 0, 2),
               (_RETURN, 0, 0, _ALLOW), (_LOAD, 0, 0, _NUMBER)]
    for number in wanted:
        program += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _FAIL | error)]
    program.append((_RETURN, 0, 0, _ALLOW))
    code = ctypes.create_string_buffer(
        b''.join(struct.pack('HBBI', *line) for line in program))
    head = ctypes.create_string_buffer(
        struct.pack('HxxxxxxP', len(program), ctypes.addressof(code)))
    for call in ((_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
                 (_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, head, 0, 0)):
        if ctypes.CDLL(None, use_errno=True).prctl(*call):
            raise OSError(ctypes.get_errno(), 'prctl')


def on_a_full_disk(deed: Callable[[], Answer]) -> Answer:
    """Do it in a thread that can write nothing; others can."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(fail, ('write', 'pwrite64'), errno.ENOSPC).result()
        return thread.submit(deed).result()
