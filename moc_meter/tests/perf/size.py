# SPDX-License-Identifier: Apache-2.0
"""T10: bytes that a sample takes, with everything that belongs to it."""

from __future__ import annotations

import psycopg

from moc_meter.tests.perf.frame import (
    Bound,
    Figure,
    Setting,
    Target,
    peers,
)

_UNIT = 'B a sample'
#: Each table of ours and what it takes: its partitions are in it, each of its
#: heap with what belongs there, and of its indexes.
_TABLES = """
SELECT coalesce(parent.relname, one.relname) AS name,
       sum(pg_table_size(one.oid)), sum(pg_indexes_size(one.oid))
FROM pg_class one
LEFT JOIN pg_inherits ON inhrelid = one.oid
LEFT JOIN pg_class parent ON parent.oid = inhparent
WHERE one.relkind = 'r' AND one.relnamespace = 'public'::regnamespace
GROUP BY name ORDER BY name"""


def sizes(url: str) -> dict[str, tuple[int, int]]:
    """Bytes of the heap and of the indexes, by table."""
    with psycopg.connect(url.replace('+psycopg', '')) as conn:
        return {name: (int(heap), int(indexes))
                for name, heap, indexes in conn.execute(_TABLES)}


def _figures(setting: Setting) -> list[Figure]:
    loaded = setting.databases.of(setting.usual_rows)
    samples = loaded.shape.samples
    found = sizes(loaded.url)
    total = sum(map(sum, found.values()))
    figures = [Figure(name='all', unit=_UNIT, values=[total / samples])]
    for name, (heap, indexes) in found.items():
        # What is less than a hundredth of a byte is of no interest.
        figures += [
            Figure(name=f'{name}, {part}', unit=_UNIT,
                   values=[size / samples])
            for part, size in (('rows', heap), ('indexes', indexes))
            if size > samples / 100]
    return figures + [
        Figure(name=side.name, unit=side.unit, values=[side.turn()])
        for side in peers('T10', loaded, setting)]


T10 = Target(
    name='T10', figures=_figures,
    title='bytes a sample, everything included, indexes of past days packed',
    bounds=[Bound(of='all', by='Ceilometer', most=0.95)])
