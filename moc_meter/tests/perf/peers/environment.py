# SPDX-License-Identifier: Apache-2.0
"""Python environments of other services, with what each of them needs."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from moc_meter.tests.perf.progress import say

#: What builds those of the packages that come as sources.
_BUILDERS = ('setuptools==80.9.0', 'wheel==0.45.1', 'pbr==7.1.3')
_SECONDS = 900


def folder(name: str) -> Path:
    """The environment of NAME.txt; made once, inside the one we run in."""
    wanted = Path(__file__).with_name(f'{name}.txt')
    digest = hashlib.sha256(wanted.read_bytes()).hexdigest()[:8]
    made = Path(sys.prefix) / 'peers' / f'{name}-{digest}'
    whole = made / 'whole'
    if not whole.exists():
        say(f'making the environment of {name}')
        shutil.rmtree(made, ignore_errors=True)
        _run(sys.executable, '-m', 'venv', made)
        _pip(made, *_BUILDERS)
        # What is built (uWSGI) is linked with this Python; in the cache may
        # be what another one of the same version has built.
        _pip(made, '--no-deps', '--no-build-isolation', '--no-cache-dir',
             '-r', wanted)
        whole.touch()
    return made


def _pip(made: Path, *arguments: str | Path) -> None:
    _run(made / 'bin' / 'python', '-m', 'pip', 'install', '-qq',
         *arguments)


def _run(*command: str | Path) -> None:
    """Our own constraints are not those of others."""
    subprocess.run(
        command, check=True, timeout=_SECONDS, stdin=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items()
             if name != 'PIP_CONSTRAINT'})
