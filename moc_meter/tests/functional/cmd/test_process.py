# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys

#: Four threads that have memory of their own at the same time; then the heaps
#: that there are, as the C library tells them.
_THREADS = """
import ctypes
import threading

from moc_meter.cmd import process


def start(_):
    all_have_it = threading.Barrier(5)

    def work():
        kept = bytearray(100_000)
        all_have_it.wait()
        del kept

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    all_have_it.wait()
    for thread in threads:
        thread.join()
    library = ctypes.CDLL(None)
    library.malloc_info(0, ctypes.c_void_p.in_dll(library, 'stdout'))
    return 0


process.main('moc-meter-collector', start, [])
"""


def test_the_threads_of_a_process_share_one_heap() -> None:
    told = subprocess.run([sys.executable, '-c', _THREADS], check=True,
                          capture_output=True, text=True, timeout=120).stdout
    assert told.count('<heap ') == 1
