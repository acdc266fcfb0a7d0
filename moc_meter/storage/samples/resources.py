# SPDX-License-Identifier: Apache-2.0
"""Metadata of resources, once per distinct content."""

from __future__ import annotations

import hashlib
import json
import marshal
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import sqlalchemy as sa

from moc_meter.model import metadata
from moc_meter.model.sample import Sample, canonical
from moc_meter.storage import dialect, generation, numbering, staging
from moc_meter.storage import engine as transactions
from moc_meter.storage.cache import Numbers
from moc_meter.storage.staging import Row
from moc_meter.storage.tables import samples as tables


def path_digest(path: str, kind: str, value: str) -> bytes:
    """What a rule about metadata is looked up by."""
    return numbering.digest([path, kind, value])


def numbers(engine: sa.Engine, cache: Numbers[bytes],
            samples: Sequence[Sample]) -> list[int]:
    """The number of each sample's metadata, in order.

    New contents are numbered in a transaction of their own, with their
    paths; see series.numbers(). What is remembered is the number of a
    spelling: the same content may have several, by the order of its keys.
    """
    # The samples of a message share what is the same.
    places = [id(sample.metadata) for sample in samples]
    said = dict(zip(places, [sample.metadata for sample in samples],
                    strict=True))
    spelled = [*map(spelling, said.values())]

    def ask(missing: AbstractSet[bytes]) -> dict[bytes, int]:
        named = dict(zip(spelled, said.values(), strict=True))
        contents = {key: canonical(named[key]) for key in missing}
        digests = {key: hashlib.sha256(content.encode()).digest()
                   for key, content in contents.items()}
        wanted = {digests[key]: {'content': content}
                  for key, content in contents.items()}
        numbered = transactions.transact(
            engine, lambda conn: _number(conn, wanted))
        return {key: numbered[digest] for key, digest in digests.items()}

    found = dict(zip(said, cache.find(spelled, ask), strict=True))
    return [found[place] for place in places]


def spelling(content: Any) -> bytes:
    """A digest that only equal contents have, and quickly made.

    Canonical JSON takes several times as long. Version 2 of marshal spells
    equal values alike, whoever else refers to them; it knows no mappings but
    dict, and no subclasses of str and int.
    """
    try:
        spelled = marshal.dumps(content, 2)
    except ValueError:
        spelled = canonical(content).encode()
    return hashlib.sha256(spelled).digest()


def _number(conn: sa.Connection, wanted: Mapping[bytes, Mapping[str, str]]
            ) -> dict[bytes, int]:
    """Who finds a content missing writes its paths, in this transaction."""
    # Who empties the database must not meet paths without their content.
    generation.held(conn)
    table = tables.resource_metadata
    numbered, new = numbering.number(conn, table, wanted)
    rows = [(number, position, path, kind, value,
             path_digest(path, kind, value))
            for number, digest in sorted((numbered[digest], digest)
                                         for digest in new)
            for position, (path, kind, value) in enumerate(
                metadata.scalars(json.loads(wanted[digest]['content'])))]
    append = dialect.choose(conn, sqlite=staging.load,
                            postgresql=staging.load, mariadb=_insert_missing)
    append(conn, tables.metadata_path, rows)
    return numbered


def _insert_missing(conn: sa.Connection, table: sa.Table,
                    rows: Sequence[Row]) -> None:
    """Of two who number a content at once, MariaDB takes both for first."""
    if rows:
        numbering.insert(conn, table, [
            dict(zip(table.columns.keys(), row, strict=True))
            for row in rows])
