# SPDX-License-Identifier: Apache-2.0
"""A MariaDB server of the tests' own (Debian: mariadb-server)."""

from __future__ import annotations

import contextlib
import itertools
from pathlib import Path

import pymysql

from moc_meter.tests.servers import base

_PACKAGE = 'mariadb-server'
_USER, _PASSWORD = 'meter', 'secret'


class MariaDB(base.Server):
    """As unhelpful as a stranger's server may be.

    Its character set is latin1 and its time zone is not UTC: what the
    application needs, it has to say itself.

    durable: every commit waits for the disk. Without it a commit survives
        the death of the server all the same, but not that of the machine.
    """

    system_user = 'mysql'

    def __init__(self, *, durable: bool = False,
                 timezone: str = '+05:30') -> None:
        super().__init__()
        self.port = base.free_port()
        self._durable = durable
        self._timezone = timezone
        self._numbers = itertools.count(1)

    def url(self, database: str) -> str:
        """Where SQLAlchemy finds the database, as the application's user."""
        return (f'mysql+pymysql://{_USER}:{_PASSWORD}@127.0.0.1:{self.port}'
                f'/{database}?charset=utf8mb4')

    def create_database(self) -> str:
        """A new, empty database for the application's user; its URL."""
        name = f'meter_{next(self._numbers)}'
        self._execute(
            f'CREATE DATABASE {name}',
            f"GRANT ALL ON {name}.* TO '{_USER}'@'127.0.0.1'")
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Drop it, after those that are still connected were cut off."""
        name = url.rpartition('/')[2].partition('?')[0]
        with self.connect() as admin, admin.cursor() as cursor:
            cursor.execute('SELECT id FROM information_schema.processlist '
                           'WHERE db = %s', [name])
            for (number,) in cursor.fetchall():
                # It may leave of itself in this moment.
                with contextlib.suppress(pymysql.err.OperationalError):
                    cursor.execute(f'KILL {int(number)}')
        self._execute(
            f'DROP DATABASE IF EXISTS {name}',
            f"REVOKE ALL ON {name}.* FROM '{_USER}'@'127.0.0.1'")

    def connect(self, database: str = 'mysql'
                ) -> pymysql.Connection[pymysql.cursors.Cursor]:
        """A connection of the superuser, in autocommit."""
        return pymysql.connect(
            unix_socket=str(self._socket), user='root',
            database=database, charset='utf8mb4', autocommit=True,
            connect_timeout=10)

    def _execute(self, *statements: str) -> None:
        with self.connect() as admin, admin.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def _check_programs(self) -> None:
        base.program('mariadbd', _PACKAGE)
        base.program('mariadb-install-db', _PACKAGE)

    def _prepare(self) -> None:
        self._run([base.program('mariadb-install-db', _PACKAGE),
                   '--no-defaults', f'--datadir={self._store}',
                   '--auth-root-authentication-method=normal',
                   '--skip-test-db', '--skip-name-resolve',
                   '--innodb-log-file-size=16M'], 'install.log')

    def _launch(self) -> None:
        durability = 1 if self._durable else 2
        self._spawn([
            base.program('mariadbd', _PACKAGE), '--no-defaults',
            f'--datadir={self._store}', f'--socket={self._socket}',
            f'--pid-file={self.folder / "pid"}', f'--tmpdir={self.folder}',
            '--bind-address=127.0.0.1', f'--port={self.port}',
            '--skip-name-resolve', '--character-set-server=latin1',
            '--collation-server=latin1_swedish_ci',
            f'--default-time-zone={self._timezone}',
            '--innodb-buffer-pool-size=64M', '--innodb-log-file-size=16M',
            f'--innodb-flush-log-at-trx-commit={durability}',
        ], 'mariadbd.log')
        self._wait_until(lambda: base.accepts(self._socket))
        self._execute(f"CREATE USER IF NOT EXISTS '{_USER}'@'127.0.0.1' "
                      f"IDENTIFIED BY '{_PASSWORD}'")

    @property
    def _socket(self) -> Path:
        return self.folder / 'sock'

    @property
    def _store(self) -> Path:
        return self.folder / 'db'
