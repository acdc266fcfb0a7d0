# SPDX-License-Identifier: Apache-2.0
"""The installed scripts as processes: started, read, asked, ended."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Self
from urllib import parse

from moc_meter.tests.servers import guard
from moc_meter.tests.servers.base import ServerFailed, until

#: Seconds that anything may take on a busy machine.
PATIENCE = 180.0
LISTENS = re.compile(r'moc_meter listens on (\S+)')

_SAMPLES = Path(__file__).parents[3] / 'etc' / 'moc_meter'
_TAIL = 3000


class Answer(NamedTuple):
    """What a server said to a request."""

    status: int
    content_type: str
    body: bytes


class Process:
    """One of our scripts, from its start to its end.

    It runs as a service would: with a home and a folder of its own, in a
    zone of the earth where UTC is not the local time, and knowing nothing of
    the tests' environment. What it says is in two files.
    """

    def __init__(self, script: str, *arguments: str | Path, folder: Path,
                 under: Sequence[str] = (),
                 environment: Mapping[str, str] | None = None) -> None:
        """
        folder: for what it says; two processes do not share one.
        under: a command that starts it, with its own command behind.
        """
        self.name = script
        home = folder / 'home'
        home.mkdir(parents=True, exist_ok=True)
        guard.watch(home)
        self._out, self._err = folder / 'stdout', folder / 'stderr'
        with self._out.open('wb') as out, self._err.open('wb') as err:
            self._process = subprocess.Popen(
                [*under, program(script), *map(str, arguments)], cwd=folder,
                stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                env={'PATH': os.environ['PATH'], 'HOME': str(home),
                     'LANG': 'C.UTF-8', 'TZ': 'Asia/Kathmandu',
                     'PYTHONDONTWRITEBYTECODE': '1', **(environment or {})})

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def said(self) -> str:
        """On standard output, up to now."""
        return self._out.read_text()

    @property
    def complained(self) -> str:
        """On standard error, up to now: its log as well."""
        return self._err.read_text()

    @property
    def url(self) -> str:
        """Where it says that it listens."""
        return self.wait_for(LISTENS)[1]

    def wait_for(self, pattern: str | re.Pattern[str]) -> re.Match[str]:
        """The first place where it has said or logged this."""
        found: re.Match[str] | None = None

        def look() -> bool:
            nonlocal found
            ended = not self.running
            for text in (self.said, self.complained):
                found = found or re.search(pattern, text)
            return bool(found) or ended

        with self._explained():
            until(look, PATIENCE, f'{self.name} to say {pattern!r}')
            if found is None:
                raise ServerFailed(f'{self.name} ended and did not say '
                                   f'{pattern!r}')
        return found

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; its exit status."""
        self.send(number)
        return self.wait()

    def wait(self) -> int:
        """Its exit status, when it has ended by itself."""
        with self._explained():
            until(lambda: not self.running, PATIENCE, f'{self.name} to end')
        return self._process.wait()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    @property
    def last_words(self) -> str:
        """The ends of what it said, for whoever reads a failure."""
        return (f'--- stdout of {self.name}\n{self.said[-_TAIL:]}\n'
                f'--- stderr of {self.name}\n{self.complained[-_TAIL:]}')

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except ServerFailed as failure:
            failure.add_note(self.last_words)
            raise


def program(script: str) -> Path:
    """An installed script of ours."""
    return Path(sys.executable).with_name(script)


def configured(folder: Path, process: str,
               settings: Mapping[str, object]) -> Path:
    """The packaged sample file of a process, with some options set.

    settings: values by 'section.option'; each stands in the sample.
    """
    text = (_SAMPLES / f'{process}.conf').read_text()
    for name, value in settings.items():
        section, option = name.split('.')
        text, count = re.subn(
            rf'(^\[{section}\]$(?:\n(?!\[).*)*?\n)#{option} = ?.*$',
            lambda found, line=f'{option} = {value}':  # type: ignore[misc]
                found[1] + line,
            text, count=1, flags=re.MULTILINE)
        if not count:
            raise ValueError(f'{process}.conf does not show {name}')
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f'{process}.conf'
    path.write_text(text)
    return path


def deployed(stack: contextlib.ExitStack, folder: Path,
             settings: Mapping[str, Mapping[str, object]]
             ) -> dict[str, Process]:
    """Processes on one database, which the collector's file names.

    settings: by script, options as configured() takes them.
    """
    files = {script: configured(folder / script, script, values)
             for script, values in settings.items()}
    with Process('moc-meter-manage', '--config-file',
                 files['moc-meter-collector'], 'db', 'upgrade',
                 folder=folder / 'manage') as manage:
        assert manage.wait() == 0, manage.complained
    processes = {script: stack.enter_context(
        Process(script, '--config-file', file, folder=file.parent))
        for script, file in files.items()}
    if 'moc-meter-agent' in processes:
        processes['moc-meter-agent'].wait_for('listening exchanges')
    return processes


def ask(url: str, path: str, *, body: bytes | None = None,
        headers: Mapping[str, str] | None = None) -> Answer:
    """One request of its own connection; the path goes out as it is."""
    wire = http.client.HTTPConnection(parse.urlsplit(url).netloc,
                                      timeout=PATIENCE)
    with contextlib.closing(wire):
        wire.request('POST' if body is not None else 'GET', path, body,
                     {'Content-Type': 'application/json', **(headers or {})})
        found = wire.getresponse()
        return Answer(found.status, found.getheader('Content-Type', ''),
                      found.read())
