# SPDX-License-Identifier: Apache-2.0
"""What every server has in common that the tests start for themselves.

A server here is the real one of the operating system, with its own ports, its
own folder and its own configuration, so that a copy that the machine runs for
somebody else is neither used nor disturbed. Whoever starts it ends it.
"""

from __future__ import annotations

import abc
import atexit
import contextlib
import functools
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from moc_meter.tests.servers import guard

_PATH = os.pathsep.join((os.environ.get('PATH', os.defpath),
                         '/usr/local/sbin', '/usr/sbin', '/sbin'))
# Below the range that the kernel hands to outgoing connections: a port of
# that range may be taken while its server is stopped.
_PORTS = range(10_240, 32_768)


class MissingServer(Exception):
    """A program that the tests need is not installed.

    An error and no skip: a suite that leaves out what it cannot run proves
    nothing.
    """


class ServerFailed(Exception):
    """A server did not do what it was told in the time it had."""


def program(name: str, package: str, folders: Sequence[Path] = ()) -> str:
    """Path of a program, in the folders first and then in PATH.

    package: the Debian package that has it, for the complaint.
    """
    for path in (os.pathsep.join(map(str, folders)), _PATH):
        if path and (found := shutil.which(name, path=path)):
            return found
    raise MissingServer(f'{name} is not installed, and the tests need it: '
                        f'apt-get install {package}')


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody else is given.

    It is claimed for the life of this process by an abstract socket, so that
    suites that run at the same time, and servers that are just stopped, do
    not take it from each other.
    """
    for port in random.sample(_PORTS, 200):
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with contextlib.suppress(OSError), socket.socket() as trial:
            claim.bind(f'\0moc-meter-port-{port}')
            trial.bind(('127.0.0.1', port))
            claim.detach()     # open as long as this process
            return port
        claim.close()
    raise ServerFailed('none of 200 ports of 127.0.0.1 is free')


def until(condition: Callable[[], object], seconds: float,
          what: str) -> None:
    """Wait until the condition holds; ServerFailed after the time is up."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise ServerFailed(f'not within {seconds:g} s: {what}')
        time.sleep(0.02)


def accepts(address: int | Path) -> bool:
    """Whether somebody listens on a port of 127.0.0.1, or on a socket.

    Clients are worse at asking: some leave a socket open when refused.
    """
    by_port = isinstance(address, int)
    with socket.socket(socket.AF_INET if by_port else socket.AF_UNIX
                       ) as trial:
        trial.settimeout(1)
        return trial.connect_ex(
            ('127.0.0.1', address) if by_port else str(address)) == 0


def is_alive(pid: int) -> bool:
    """Whether there is such a process, and not only its exit status."""
    return pid in _parents()


def _are_gone(pids: Sequence[int]) -> bool:
    return not _parents().keys() & set(pids)


def _parents() -> dict[int, int]:
    """The parent of every process that lives."""
    parents = {}
    for name in filter(str.isdigit, os.listdir('/proc')):
        with contextlib.suppress(OSError):     # it ended in between
            state, parent = Path(f'/proc/{name}/stat').read_text(
                errors='replace').rpartition(')')[2].split()[:2]
            if state not in 'ZX':
                parents[int(name)] = int(parent)
    return parents


class Server(abc.ABC):
    """One server of one test run: start, use, stop or kill, start again.

    What it stored and where it listens stay the same until it is closed.
    Nothing happens before start(); every call may be repeated.
    """

    #: The user that the distribution made for it; used when we are root.
    system_user = 'nobody'
    #: Seconds that a start and a stop may take on a busy machine.
    patience = 60.0

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._roots: list[subprocess.Popen[bytes]] = []
        self._owner = os.getpid()

    @property
    def folder(self) -> Path:
        """Where it keeps everything; short, for the sake of its sockets."""
        if self._folder is None:
            raise ServerFailed(f'{type(self).__name__} is not started')
        return self._folder

    @property
    def pids(self) -> list[int]:
        """Every living process of this server, and of no other.

        Those that we started, what they started, and what has left its
        parent (a virtual machine does): our folder is the home of each.
        """
        if self._folder is None:
            return []
        parents = _parents()
        ours = guard.residents(self._folder)
        ours |= {root.pid for root in self._roots if root.poll() is None}
        grown = True
        while grown:
            children = {pid for pid, parent in parents.items()
                        if parent in ours} - ours
            ours |= children
            grown = bool(children)
        return sorted(ours & parents.keys())

    @property
    def main_pids(self) -> list[int]:
        """The processes that start() began; others come and go."""
        return [root.pid for root in self._roots]

    @property
    def running(self) -> bool:
        """Whether every process that start() began is still there."""
        return bool(self._roots) and all(
            root.poll() is None for root in self._roots)

    def start(self) -> Self:
        """Start it, for the first time or again, and wait until it serves."""
        if self.running:
            return self
        self.kill()     # what a crash may have left
        self._check_programs()
        try:
            if self._folder is None:
                self._folder = self._make_folder()
                atexit.register(self.close)
                self._prepare()
            self._launch()
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self) -> None:
        """End it as its own documentation wants it."""
        if not self.running:
            self.kill()
            return
        self._halt()
        try:
            until(lambda: not self.pids, self.patience,
                  f'{type(self).__name__} to stop')
        except ServerFailed as failure:
            failure.add_note(self._last_words())
            self.kill()
            raise
        self._reap()

    def kill(self) -> None:
        """End it as the power cut does: SIGKILL to all its processes."""
        while pids := self.pids:     # again, should one have forked
            self.send(signal.SIGKILL, pids)
            until(functools.partial(_are_gone, pids), self.patience,
                  'killed processes to end')
            guard.free_memory(pids)
        self._reap()

    def close(self) -> None:
        """Stop it and forget what it stored.

        Only in the process that made it: what a fork copied is not ours to
        end, although the copy leaves by the same atexit.
        """
        if os.getpid() != self._owner:
            return
        try:
            self.stop()
        finally:
            atexit.unregister(self.close)
            if self._folder is not None:
                shutil.rmtree(self._folder)
                self._folder = None

    def send(self, number: signal.Signals,
             pids: Sequence[int] | None = None) -> None:
        """A signal to all its processes, or to some."""
        for pid in self.pids if pids is None else pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    @abc.abstractmethod
    def _check_programs(self) -> None:
        """Raise MissingServer before anything is made."""

    @abc.abstractmethod
    def _prepare(self) -> None:
        """Make in the fresh folder what the first start needs."""

    @abc.abstractmethod
    def _launch(self) -> None:
        """Spawn the processes and wait until they serve."""

    def _halt(self) -> None:
        """Ask for a clean end; stop() waits for it."""
        for root in self._roots:
            root.terminate()

    @property
    def user(self) -> str | None:
        """Whom its processes run as; None where it is ourselves."""
        return self.system_user if os.geteuid() == 0 else None

    def _environment(self) -> Mapping[str, str]:
        """What its processes see, and nothing of what the tests see."""
        return {'PATH': _PATH, 'HOME': str(self.folder),
                'TMPDIR': str(self.folder), 'LANG': 'C.UTF-8'}

    def _make_folder(self) -> Path:
        # Not below TMPDIR: the name of a socket has room for 107 bytes.
        folder = Path(tempfile.mkdtemp(prefix='mm-', dir='/tmp'))
        guard.watch(folder)
        self._give(folder)
        return folder

    def _give(self, path: Path) -> None:
        """Make the server's user the owner of what we wrote."""
        if self.user:
            account = pwd.getpwnam(self.user)
            os.chown(path, account.pw_uid, account.pw_gid)

    def _write(self, name: str, text: str, mode: int = 0o600) -> Path:
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)
        self._give(path)
        return path

    def _popen(self, command: Sequence[str | Path], log: str
               ) -> subprocess.Popen[bytes]:
        """The command as the server's user, its output in our folder.

        The user is changed between fork and exec, with nothing like runuser
        in between: so the process that we hold is the server itself.
        """
        account = pwd.getpwnam(self.user) if self.user else None
        with (self.folder / log).open('ab') as output:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, cwd=self.folder,
                env=self._environment(), start_new_session=True,
                user=account and account.pw_uid,
                group=account and account.pw_gid,
                extra_groups=account and [])

    def _spawn(self, command: Sequence[str | Path], log: str
               ) -> subprocess.Popen[bytes]:
        """Start a process that is to live as long as the server."""
        root = self._popen(command, log)
        self._roots.append(root)
        return root

    def _run(self, command: Sequence[str | Path], log: str) -> None:
        """Run a command to its end."""
        with self._popen(command, log) as process:
            try:
                status = process.wait(self.patience)
            except BaseException:
                process.kill()
                raise
        if status:
            raise ServerFailed(f'{Path(command[0]).name} ended with status '
                               f'{status}\n{self._last_words()}')

    def _wait_until(self, serves: Callable[[], object]) -> None:
        """Wait for it to serve; no longer than its processes live."""
        name = type(self).__name__
        try:
            until(lambda: not self.running or serves(), self.patience,
                  f'{name} to serve')
            if not self.running:
                raise ServerFailed(f'{name} ended instead of serving')
        except ServerFailed as failure:
            failure.add_note(self._last_words())
            raise

    def _reap(self) -> None:
        for root in self._roots:
            root.wait()
        self._roots.clear()

    def _last_words(self) -> str:
        """The ends of its logs, for whoever reads the failure."""
        return '\n'.join(
            f'--- {log.name}\n{log.read_text(errors="replace")[-2000:]}'
            for log in sorted(self.folder.glob('*.log')))
