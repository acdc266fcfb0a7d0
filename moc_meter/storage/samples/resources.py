# SPDX-License-Identifier: Apache-2.0
"""Metadata of resources, once per distinct content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from moc_meter.model import metadata
from moc_meter.model.sample import Sample, canonical
from moc_meter.storage import engine as transactions
from moc_meter.storage import generation, numbering
from moc_meter.storage.cache import Numbers
from moc_meter.storage.tables import samples as tables


def path_digest(path: str, kind: str, value: str) -> bytes:
    """What a rule about metadata is looked up by."""
    return numbering.digest([path, kind, value])


def numbers(engine: sa.Engine, cache: Numbers[bytes],
            samples: Sequence[Sample]) -> list[int]:
    """The number of each sample's metadata, in order.

    New contents are numbered in a transaction of their own, with their
    paths; see series.numbers().
    """
    contents = [canonical(sample.metadata) for sample in samples]
    digests = [hashlib.sha256(content.encode()).digest()
               for content in contents]
    found, missing = cache.find(digests)
    wanted = {digest: {'content': content}
              for digest, content in zip(digests, contents, strict=True)
              if digest in missing}
    if wanted:
        numbered = transactions.transact(
            engine, lambda conn: _number(conn, wanted))
        for digest, number in numbered.items():
            cache.put(digest, number)
        found |= numbered
    return [found[digest] for digest in digests]


def _number(conn: sa.Connection, wanted: Mapping[bytes, Mapping[str, str]]
            ) -> dict[bytes, int]:
    """Who finds a content missing writes its paths, in this transaction."""
    # Who empties the database must not meet paths without their content.
    generation.held(conn)
    table = tables.resource_metadata
    found = numbering.known(conn, table, wanted)
    missing = {digest: row for digest, row in wanted.items()
               if digest not in found}
    numbered = numbering.number(conn, table, missing) if missing else {}
    rows = [{'metadata_id': number, 'position': position, 'path': path,
             'kind': kind, 'value': value,
             'digest': path_digest(path, kind, value)}
            for digest, number in sorted(numbered.items(),
                                         key=lambda item: item[1])
            for position, (path, kind, value) in enumerate(
                metadata.scalars(json.loads(missing[digest]['content'])))]
    if rows:
        numbering.insert(conn, tables.metadata_path, rows)
    return found | numbered
