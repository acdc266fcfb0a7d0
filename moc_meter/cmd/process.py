# SPDX-License-Identifier: Apache-2.0
"""What every process does: start, run its services as threads, stop well."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from typing import Protocol

from oslo_config import cfg
from oslo_log import log

from moc_meter import conf, errors

LOG = logging.getLogger(__name__)

#: Something that runs until the event is set.
Service = Callable[[threading.Event], None]

class Closable(Protocol):
    """Something with threads of its own, to be closed at the end."""

    def close(self) -> None:
        """Finish what is in hand."""


#: Of malloc.h.
_M_ARENA_MAX = -8
#: Talkative at INFO about what the rooms report themselves.
_QUIET = ('alembic=WARNING', 'amqp=WARNING', 'keystoneauth=WARNING',
          'keystonemiddleware=ERROR', 'kombu=WARNING',
          'oslo.messaging=WARNING', 'waitress=WARNING')


def main(process: str, start: Callable[[cfg.ConfigOpts], int],
         argv: Sequence[str] | None = None,
         cli: Sequence[cfg.Opt] = ()) -> int:
    """Read the options, start, and answer with an exit status.

    What stops a process at its start is one line on stderr and status 2.
    """
    try:
        settings = conf.load(process, sys.argv[1:] if argv is None else argv,
                             version=metadata.version('moc_meter'), cli=cli)
        if not (settings.log_file or settings.log_dir
                or settings.use_journal):
            # Standard output is for answers.
            settings.set_override('use_stderr', True)
        log.set_defaults(default_log_levels=list(_QUIET))
        try:
            log.setup(settings, 'moc_meter')
        except (OSError, ValueError, log.LogConfigError) as fault:
            raise errors.InvalidConfiguration(
                'the options of logging cannot be used',
                reason=str(fault)) from fault
        _keep_one_heap()
        return start(settings)
    except errors.MeterError as fault:
        print(f'{process}: {fault}', file=sys.stderr)
        return 2


def _keep_one_heap() -> None:
    """For all threads, where the C library would make one for each.

    Each would keep what its thread's largest piece of work took. Threads of
    Python take turns, so they hardly wait for the one.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, 'mallopt'):     # glibc's
        library.mallopt(_M_ARENA_MAX, 1)


def serve(*stages: Mapping[str, Service], parent: int | None = None) -> int:
    """Run the services until a signal, or until one of them fails.

    stages: a service hands what it has to those of later stages, so each
        stage is stopped when all before it have ended.
    parent: pid of the process with whose end this one shall end too.

    SIGTERM and SIGINT begin the stopping; every service then finishes what
    it has in hand. Further signals change nothing. A service that raises
    stops the others: whoever supervises the process starts it anew, and
    nothing is lost by that.
    Returns the exit status: 0 after a signal, 1 after a failure.
    """
    asked = threading.Event()
    running = [_Stage(services, asked) for services in stages]
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: asked.set())
    # The last stage first: it is there when the others hand something on.
    for stage in reversed(running):
        stage.start()
    LOG.info('started: services=%s',
             ','.join(name for services in stages for name in services))
    while not asked.wait(1.0):
        if parent is not None and os.getppid() != parent:
            LOG.info('the parent process has ended: pid=%d', parent)
            break
    LOG.info('stopping')
    for stage in running:
        stage.stop()
    LOG.info('stopped')
    return 1 if any(stage.failed for stage in running) else 0


class _Stage:
    """Services that run side by side and are stopped together."""

    def __init__(self, services: Mapping[str, Service],
                 asked: threading.Event) -> None:
        """asked: set where one of them fails."""
        self.failed = False
        self._asked = asked
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=item,
                                          name=item[0])
                         for item in services.items()]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, name: str, service: Service) -> None:
        try:
            service(self._stop)
        except BaseException:
            self.failed = True
            self._asked.set()
            LOG.exception('service failed: name=%s', name)


def closing(thing: Closable) -> Service:
    """A service that closes the thing when it is its turn to stop."""
    def run(stop: threading.Event) -> None:
        stop.wait()
        thing.close()

    return run
