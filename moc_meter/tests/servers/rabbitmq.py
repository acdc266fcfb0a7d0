# SPDX-License-Identifier: Apache-2.0
"""A RabbitMQ broker of the tests' own (Debian: rabbitmq-server)."""

from __future__ import annotations

import contextlib
import itertools
import json
import secrets
import signal
import urllib.parse
from collections.abc import Iterable, Mapping
from pathlib import Path

from kombu.connection import Connection
from kombu.exceptions import OperationalError

from moc_meter.tests.servers import base

_PACKAGE = 'rabbitmq-server'
_PROGRAMS = [Path('/usr/lib/rabbitmq/bin')]     # those that any user may run
_VHOSTS = 40     # made at a time: one call of rabbitmqctl takes a second


class RabbitMQ(base.Server):
    """One broker, with an epmd of its own.

    The epmd that other brokers of this machine share is not asked, since it
    would be started if it were not there, and nobody would end it.
    """

    system_user = 'rabbitmq'

    def __init__(self) -> None:
        super().__init__()
        self.port = base.free_port()
        self._distribution_port = base.free_port()
        self._control_port = base.free_port()
        self._epmd_port = base.free_port()
        self._made = itertools.count(1)
        self._unused: list[str] = []

    def url(self, vhost: str = '/') -> str:
        """Where kombu and oslo.messaging find the vhost."""
        name = '/' if vhost == '/' else urllib.parse.quote(vhost, safe='')
        return f'amqp://guest:guest@127.0.0.1:{self.port}/{name}'

    def create_vhost(self) -> str:
        """A vhost that nobody has used; its URL."""
        if not self._unused:
            self._unused = self._new_names()
            path = self._write('more.json', _definitions(self._unused))
            self.control('import_definitions', str(path))
        return self.url(self._unused.pop(0))

    def queue_depth(self, vhost: str, queue: str) -> int:
        """Messages of the queue that wait for a consumer.

        Those that a consumer has and did not acknowledge are not counted.
        """
        with connect(self.url(vhost)) as connection:
            found = connection.default_channel.queue_declare(
                queue, passive=True)
            return int(found.message_count)

    def pause(self) -> None:
        """Hang: connections stay open and are answered no more."""
        self.send(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on after pause()."""
        self.send(signal.SIGCONT)

    def control(self, *arguments: str) -> None:
        """Run rabbitmqctl; it takes a second."""
        self._run([base.program('rabbitmqctl', _PACKAGE, _PROGRAMS),
                   '--quiet', *arguments], 'rabbitmqctl.log')

    def stop(self) -> None:
        self.resume()     # what hangs does not hear that it shall stop
        super().stop()

    def _check_programs(self) -> None:
        base.program('epmd', 'erlang-base')
        base.program('rabbitmq-server', _PACKAGE, _PROGRAMS)
        base.program('rabbitmqctl', _PACKAGE, _PROGRAMS)

    def _prepare(self) -> None:
        self._write('.erlang.cookie', secrets.token_hex(16), 0o400)
        self._write('plugins', '[].\n')
        self._unused = self._new_names()
        definitions = self._write('definitions.json',
                                  _definitions(['/', *self._unused]))
        self._write('rabbitmq.conf', '\n'.join((
            f'listeners.tcp.own = 127.0.0.1:{self.port}',
            'definitions.import_backend = local_filesystem',
            f'definitions.local.path = {definitions}',
            'definitions.skip_if_unchanged = true',
            'vm_memory_high_watermark.absolute = 512MB',
            'disk_free_limit.absolute = 50MB',
            'log.console = true',
            'log.console.level = warning',
            'log.file = false',
        )) + '\n')

    def _launch(self) -> None:
        self._spawn([base.program('epmd', 'erlang-base'),
                     '-port', str(self._epmd_port),
                     '-address', '127.0.0.1'], 'epmd.log')
        self._wait_until(lambda: base.accepts(self._epmd_port))
        self._spawn([base.program('rabbitmq-server', _PACKAGE, _PROGRAMS)],
                    'rabbitmq.log')
        self._wait_until(self._serves)

    def _halt(self) -> None:
        """The broker first: it takes leave of the epmd."""
        epmd, broker = self._roots
        broker.terminate()
        base.until(lambda: broker.poll() is not None, self.patience,
                   'RabbitMQ to stop')
        epmd.terminate()

    def _environment(self) -> Mapping[str, str]:
        folder = self.folder
        scheduler = '+S 2:2 +SDcpu 1:1 +SDio 2 +A 4'
        return {
            **super()._environment(),
            # A file that is not there: neither the machine's nor another.
            'RABBITMQ_CONF_ENV_FILE': str(folder / 'none.conf'),
            'RABBITMQ_ADVANCED_CONFIG_FILE': str(folder / 'none.config'),
            'RABBITMQ_CONFIG_FILE': str(folder / 'rabbitmq.conf'),
            'RABBITMQ_ENABLED_PLUGINS_FILE': str(folder / 'plugins'),
            'RABBITMQ_MNESIA_BASE': str(folder / 'mnesia'),
            'RABBITMQ_LOG_BASE': str(folder),
            'RABBITMQ_GENERATED_CONFIG_DIR': str(folder),
            'RABBITMQ_NODENAME': f'meter{self.port}@localhost',
            'RABBITMQ_DIST_PORT': str(self._distribution_port),
            'RABBITMQ_CTL_DIST_PORT_MIN': str(self._control_port),
            'RABBITMQ_CTL_DIST_PORT_MAX': str(self._control_port),
            'RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS': scheduler,
            'RABBITMQ_CTL_ERL_ARGS': scheduler,
            # Erlang's own default; with RabbitMQ's, which is none, a start
            # takes 6 s and not 2.
            'RABBITMQ_SCHEDULER_BUSY_WAIT_THRESHOLD': 'medium',
            'ERL_EPMD_PORT': str(self._epmd_port),
            'ERL_EPMD_ADDRESS': '127.0.0.1',
            'ERL_CRASH_DUMP_SECONDS': '0',
            'ERL_ZFLAGS': '-start_epmd false '
                          '-kernel inet_dist_use_interface {127,0,0,1}',
        }

    def _serves(self) -> bool:
        """Open for business, which comes after the port is open."""
        if not base.accepts(self.port):
            return False
        with contextlib.suppress(OSError, OperationalError), \
                connect(self.url()):
            return True
        return False

    def _new_names(self) -> list[str]:
        return [f'v{next(self._made)}' for _ in range(_VHOSTS)]


def connect(url: str, *, patience: float = 10) -> Connection:
    """A connection that tells its publishers when the broker has it.

    patience: seconds to wait for the broker's answers.
    """
    connection = Connection(  # type: ignore[no-untyped-call]
        url, connect_timeout=patience,
        transport_options={'confirm_publish': True})
    try:
        connection.connect()  # type: ignore[no-untyped-call]
    except BaseException:
        connection.release()  # type: ignore[no-untyped-call]
        raise
    return connection


def _definitions(vhosts: Iterable[str]) -> str:
    """Vhosts and who may use them, as RabbitMQ imports them."""
    names = list(vhosts)
    return json.dumps({
        'users': [{'name': 'guest', 'password': 'guest', 'tags': []}],
        'vhosts': [{'name': name} for name in names],
        'permissions': [
            {'user': 'guest', 'vhost': name,
             'configure': '.*', 'write': '.*', 'read': '.*'}
            for name in names],
    })
