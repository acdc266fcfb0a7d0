# SPDX-License-Identifier: Apache-2.0
"""Where our side spends its time; saying that takes time itself."""

from __future__ import annotations

import cProfile
import pstats
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_SHOWN = 40


def show(name: str, ready: Callable[[], None], turn: Callable[[], int],
         turns: int, pids: Callable[[], Sequence[int]] | None) -> None:
    """Print what of the turns' time goes where.

    pids: the processes that do the work; None where this one does.
    """
    ready()
    turn()
    print(f'{name}: where its time goes', flush=True)
    if pids:
        with _watched(pids()):
            for _ in range(turns):
                ready()
                turn()
        return
    profile = cProfile.Profile()
    for _ in range(turns):
        ready()
        profile.runcall(turn)
    pstats.Stats(profile).sort_stats('tottime').print_stats(_SHOWN)


@contextmanager
def _watched(pids: Sequence[int]) -> Iterator[None]:
    """py-spy's samples of processes, by function: in it, and below it."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / str(pid) for pid in pids]
        spies = [subprocess.Popen(
            [Path(sys.executable).with_name('py-spy'), 'record', '--pid',
             str(pid), '--rate', '400', '--format', 'raw', '--function',
             '--output', file], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
            for pid, file in zip(pids, files, strict=True)]
        yield
        for spy in spies:
            spy.send_signal(signal.SIGINT)
            spy.wait()
        _print([line for file in files if file.exists()
                for line in file.read_text().splitlines()])


def _print(stacks: Sequence[str]) -> None:
    """stacks: 'outer;inner 12'."""
    within, below, total = Counter[str](), Counter[str](), 0
    for stack in stacks:
        names, _, count = stack.rpartition(' ')
        functions = [name for name in names.split(';') if name] or ['?']
        within[functions[-1]] += int(count)
        for function in set(functions):
            below[function] += int(count)
        total += int(count)
    for title, counts in (('itself', within), ('with what it calls', below)):
        print(f'  % {title}')
        for function, hits in counts.most_common(_SHOWN):
            print(f'  {100 * hits / total:5.1f} {function}')
