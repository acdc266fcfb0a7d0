# SPDX-License-Identifier: Apache-2.0
"""Numbers for what is kept once per distinct content, by its digest."""

from __future__ import annotations

import functools
import hashlib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import sqlalchemy as sa

from moc_meter.model.sample import canonical
from moc_meter.storage import dialect, engine

#: Digests in one question; SQLite knows a limit of parameters, PostgreSQL one
#: of their bytes.
_CHUNK = 500
#: Numbers by digest, and the digests that are new.
Numbered = tuple[dict[bytes, int], AbstractSet[bytes]]


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
           wanted: Mapping[bytes, Mapping[str, Any]]) -> Numbered:
    """A number for each digest; those without one are given one.

    wanted: the other columns by digest. Two who number the same at the same
    time get the same number: the second waits for the first to commit.
    Returns also the digests that had no number before; the other one of the
    two may have been given some of them.
    """
    given = dialect.choose(conn, sqlite=_in_steps, postgresql=_at_once,
                           mariadb=_in_steps)
    return given(conn, table, wanted)


def _in_steps(conn: sa.Connection, table: sa.Table,
              wanted: Mapping[bytes, Mapping[str, Any]]) -> Numbered:
    found = known(conn, table, wanted)
    missing = sorted(wanted.keys() - found.keys())
    if missing:
        insert(conn, table, [{'digest': key, **wanted[key]}
                             for key in missing])
        found |= known(conn, table, missing)
    return found, frozenset(missing)


def _at_once(conn: sa.Connection, table: sa.Table,
             wanted: Mapping[bytes, Mapping[str, Any]]) -> Numbered:
    """The same in a statement for many (PostgreSQL).

    By digest, so that two who give the same do not wait for each other.
    """
    rows: list[Sequence[Any]] = []
    left = iter(sorted(wanted))
    while digests := list(itertools.islice(left, _CHUNK)):
        some = [wanted[digest] for digest in digests]
        rows += engine.fetch(conn, _giving(table), {
            'digest': digests,
            **{name: [row[name] for row in some] for name in some[0]}})
    found = {digest: number for digest, number, _ in rows}
    if len(found) < len(wanted):
        # Others were quicker, and have committed by now.
        found |= known(conn, table, wanted.keys() - found.keys())
    return found, frozenset(digest for digest, _, is_new in rows if is_new)


@functools.cache
def _giving(table: sa.Table) -> bytes:
    """Digests, numbers, and whether they are new, of arrays of columns."""
    given = sa.select(*(
        sa.func.unnest(sa.bindparam(column.name, type_=sa.ARRAY(
            # A type with a length would cut what is longer.
            sa.Text() if isinstance(column.type, sa.String) else column.type)
        )).label(column.name)
        for column in table.columns if column.name != 'id')).cte('given')
    there = sa.select(table.c.digest, table.c.id).join(
        given, given.c.digest == table.c.digest).cte('there')
    new = dialect.insert_missing_as(
        'new', table, sa.select(given).where(given.c.digest.not_in(
            sa.select(there.c.digest))).order_by(given.c.digest))
    text, _ = engine.spelled(sa.union_all(
        sa.select(there, sa.false()),
        sa.select(new.c.digest, new.c.id, sa.true())))
    # Binary: in the text of an array each quote would be escaped, and
    # metadata may be full of them.
    return text.replace(b')s::', b')b::')


def insert(conn: sa.Connection, table: sa.Table,
           rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows that are missing; in the order that they have."""
    conn.execute(dialect.insert_missing(conn, table), rows)
