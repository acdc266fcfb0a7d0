# SPDX-License-Identifier: Apache-2.0
"""Numbers for what is kept once per distinct content, by its digest."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from moc_meter.model.sample import canonical
from moc_meter.storage import dialect

#: Digests in one question; SQLite knows a limit of parameters.
_CHUNK = 500


def digest(parts: object) -> bytes:
    """Of JSON; null and empty differ, and so do 1 and true."""
    return hashlib.sha256(canonical(parts).encode()).digest()


def known(conn: sa.Connection, table: sa.Table,
          digests: Iterable[bytes]) -> dict[bytes, int]:
    """The numbers of those digests that have one."""
    found: dict[bytes, int] = {}
    left = iter(digests)
    while chunk := list(itertools.islice(left, _CHUNK)):
        found |= {bytes(row.digest): row.id for row in conn.execute(
            sa.select(table.c.digest, table.c.id)
            .where(table.c.digest.in_(chunk)))}
    return found


def number(conn: sa.Connection, table: sa.Table,
           wanted: Mapping[bytes, Mapping[str, Any]]) -> dict[bytes, int]:
    """A number for each digest; those without one are given one.

    wanted: the other columns by digest. Two who number the same at the same
    time get the same number: the second waits for the first to commit.
    """
    found = known(conn, table, wanted)
    missing = sorted(wanted.keys() - found.keys())
    if missing:
        insert(conn, table, [{'digest': key, **wanted[key]}
                             for key in missing])
        found |= known(conn, table, missing)
    return found


def insert(conn: sa.Connection, table: sa.Table,
           rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows that are missing; in the order that they have."""
    conn.execute(dialect.insert_missing(conn, table), rows)
