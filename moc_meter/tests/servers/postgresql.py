# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL server of the tests' own (Debian: postgresql)."""

from __future__ import annotations

import contextlib
import itertools
import signal
from pathlib import Path

import psycopg

from moc_meter.tests.servers import base

_PACKAGE = 'postgresql'
_USER, _PASSWORD = 'meter', 'secret'


class PostgreSQL(base.Server):
    """As unhelpful as a stranger's server may be, and as strict.

    Its time zone is not UTC, the order of its texts is not that of their
    code points, and the application's user is no superuser: what the
    application needs, it has to say itself.

    durable: every commit waits for the disk. Without it a commit survives
        the death of the server all the same, but not that of the machine.
    buffers: shared_buffers; where speed is measured, as much as is usual.
    """

    system_user = 'postgres'

    def __init__(self, *, durable: bool = False,
                 timezone: str = 'Asia/Kolkata',
                 buffers: str = '32MB') -> None:
        super().__init__()
        self.port = base.free_port()
        self._durable = durable
        self._timezone = timezone
        self._buffers = buffers
        self._numbers = itertools.count(1)

    def url(self, database: str) -> str:
        """Where SQLAlchemy finds the database, as the application's user."""
        return (f'postgresql+psycopg://{_USER}:{_PASSWORD}'
                f'@127.0.0.1:{self.port}/{database}')

    def create_database(self, *, icu_locale: str | None = 'en-US') -> str:
        """A new, empty database that the application's user owns; its URL.

        icu_locale: how it sorts texts that do not say how they want to be
            sorted; None for the C.UTF-8 of the operating system. The locale
            of the default sorts 'a' before 'B', which code points do not.
        """
        name = f'meter_{next(self._numbers)}'
        locale = "LOCALE 'C.UTF-8'"
        if icu_locale:
            locale += f" LOCALE_PROVIDER icu ICU_LOCALE '{icu_locale}'"
        with self.connect() as admin:
            admin.execute(f'CREATE DATABASE {name} OWNER {_USER} '
                          f"TEMPLATE template0 ENCODING 'UTF8' {locale}")
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Drop it, whoever is still connected."""
        name = url.rpartition('/')[2]
        with self.connect() as admin:
            admin.execute(f'DROP DATABASE IF EXISTS {name} WITH (FORCE)')

    def connect(self, database: str = 'postgres') -> psycopg.Connection:
        """A connection of the superuser, in autocommit."""
        return psycopg.connect(host=str(self.folder), port=self.port,
                               user='postgres', dbname=database,
                               autocommit=True, connect_timeout=10)

    def _check_programs(self) -> None:
        self._program('initdb')
        self._program('postgres')

    def _prepare(self) -> None:
        self._run([self._program('initdb'), '-D', self._store, '-N',
                   '-U', 'postgres', '-E', 'UTF8', '--locale=C.UTF-8',
                   '--auth-local=trust', '--auth-host=scram-sha-256'],
                  'initdb.log')

    def _launch(self) -> None:
        settings = {
            'listen_addresses': '127.0.0.1', 'port': str(self.port),
            'unix_socket_directories': str(self.folder),
            'timezone': self._timezone,
            # In the folder, where close() finds it after a kill.
            'dynamic_shared_memory_type': 'mmap',
            'fsync': 'on' if self._durable else 'off',
            'full_page_writes': 'on' if self._durable else 'off',
            'shared_buffers': self._buffers,
        }
        self._spawn([self._program('postgres'), '-D', self._store,
                     *itertools.chain.from_iterable(
                         ('-c', f'{name}={value}')
                         for name, value in settings.items())],
                    'postgres.log')
        self._wait_until(self._serves)
        with self.connect() as admin:
            if not admin.execute('SELECT 1 FROM pg_roles WHERE rolname = %s',
                                 [_USER]).fetchone():
                admin.execute(f'CREATE ROLE {_USER} LOGIN '
                              f"PASSWORD '{_PASSWORD}'")

    def _halt(self) -> None:
        for root in self._roots:
            root.send_signal(signal.SIGINT)     # the fast way: no waiting

    def _serves(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            self.connect().close()
            return True
        return False

    @property
    def _store(self) -> Path:
        return self.folder / 'pg'

    @staticmethod
    def _program(name: str) -> str:
        """Debian keeps them out of PATH, in a folder for each version."""
        versions = sorted(Path('/usr/lib/postgresql').glob('*/bin'),
                          key=lambda path: float(path.parent.name))
        return base.program(name, _PACKAGE, versions[::-1])
