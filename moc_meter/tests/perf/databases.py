# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL server of our own, with sets of samples in its databases."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from moc_meter.storage.samples import cells, partitions
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.perf import data
from moc_meter.tests.perf.data import SIZES, Shape
from moc_meter.tests.servers.postgresql import PostgreSQL
from moc_meter.tests.stores import migrated

_BUFFERS = '512MB'
_HURRY = ('autovacuum = off', "max_wal_size = '8GB'",
          'synchronous_commit = off', "work_mem = '64MB'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A database with a set of samples."""

    url: str
    size: str           # of SIZES
    shape: Shape


class Databases:
    """The server, which starts when the first database is asked for.

    keep: the folder where the server's files stay for the next run; None
        where they are removed.
    """

    def __init__(self, keep: Path | None = None) -> None:
        self._server = (_Kept(keep.absolute()) if keep else
                        PostgreSQL(durable=True, buffers=_BUFFERS))
        self._loaded: dict[str, Loaded] = {}
        self._copies = itertools.count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()

    @property
    def server(self) -> PostgreSQL:
        return self._server.start()

    def of(self, size: str) -> Loaded:
        """The database with a set; who changes it takes a copy()."""
        if size not in self._loaded:
            shape = SIZES[size]
            name = f'perf_{size.lower()}_{_version()}'
            if not self._exists(name):
                self._load(name, shape)
            self._loaded[size] = Loaded(
                url=self.server.url(name), size=size, shape=shape)
        return self._loaded[size]

    def copy(self, loaded: Loaded) -> str:
        """The URL of a copy, which nobody else uses."""
        of = loaded.url.rpartition('/')[2]
        name = f'copy_{next(self._copies)}'
        with self.server.connect() as admin:
            admin.execute(f'DROP DATABASE IF EXISTS {name}')
            admin.execute(f'CREATE DATABASE {name} TEMPLATE {of} '
                          'OWNER meter')
        return self.server.url(name)

    def empty(self) -> str:
        """The URL of a database with our schema and nothing in it."""
        name = f'empty_{next(self._copies)}'
        self._create(name)
        with migrated(self.server.url(name)):
            return self.server.url(name)

    def _exists(self, name: str) -> bool:
        with self.server.connect() as admin:
            return admin.execute('SELECT FROM pg_database WHERE datname = %s',
                                 [name]).fetchone() is not None

    def _create(self, name: str) -> None:
        with self.server.connect() as admin:
            admin.execute(f'DROP DATABASE IF EXISTS {name}')
            admin.execute(f'CREATE DATABASE {name} OWNER meter '
                          "TEMPLATE template0 ENCODING 'UTF8' LOCALE "
                          "'C.UTF-8' LOCALE_PROVIDER icu ICU_LOCALE 'en-US'")

    def _load(self, name: str, shape: Shape) -> None:
        """It has its name once it is whole."""
        self._create('unfinished')
        with self._in_a_hurry(), migrated(
                self.server.url('unfinished')) as engine:
            data.load(engine, shape)
        with self.server.connect() as admin:
            admin.execute(f'ALTER DATABASE unfinished RENAME TO {name}')

    @contextlib.contextmanager
    def _in_a_hurry(self) -> Iterator[None]:
        """Settings for much that is written at once, for as long."""
        with self.server.connect() as admin:
            for setting in _HURRY:
                admin.execute(f'ALTER SYSTEM SET {setting}')
            admin.execute('SELECT pg_reload_conf()')
            yield
            admin.execute('ALTER SYSTEM RESET ALL')
            admin.execute('SELECT pg_reload_conf()')


class _Kept(PostgreSQL):
    """A server whose files outlive it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(durable=True, buffers=_BUFFERS)
        self._kept = folder

    def _prepare(self) -> None:
        if not self._store.exists():
            self._kept.mkdir(parents=True, exist_ok=True)
            self._give(self._kept)
            super()._prepare()

    @property
    def _store(self) -> Path:
        return self._kept / 'pg'


def _version() -> str:
    """Of what a set is made by: another schema, another database."""
    files = (data.__file__, tables.__file__, cells.__file__,
             partitions.__file__)
    return hashlib.sha256(b''.join(Path(file or '').read_bytes()
                                   for file in files)).hexdigest()[:8]
