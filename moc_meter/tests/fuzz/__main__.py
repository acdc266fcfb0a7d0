# SPDX-License-Identifier: Apache-2.0
"""Fuzzes the parsers, led by what their code does; arguments: libFuzzer's.

    python -m moc_meter.tests.fuzz -max_total_time=300
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=['moc_meter.api', 'moc_meter.model']):
    from moc_meter.tests.fuzz import parsers

#: What a run begins with: something of each parser that it takes.
_SEEDS = {
    'filter': '{"and": [{"=": {"meter": "a"}}, {"not": {"in": '
              '{"metadata.a": [1, "b"]}}}, {"=~": {"user": "^a"}}, '
              '{"<": {"timestamp": "2026-03-01T10:00:00.5+01:00"}}]}',
    'order': '[{"timestamp": "desc"}, {"volume": "ASC"}]',
    'arguments': 'q.field=timestamp&q.op=ge&q.value=2026-03-01&q.type='
                 '&q.field=search_offset&q.op=&q.value=5&q.type=integer'
                 '&limit=1&aggregate.func=cardinality'
                 '&aggregate.param=user_id&start=2026-03-01',
    'marker': 'WyJhIl0',
    'body': '[{"message_id": "m", "source": "s", "counter_name": "c", '
            '"counter_type": "gauge", "counter_unit": "u", '
            '"counter_volume": "1e3", "resource_id": "r", '
            '"timestamp": "2026-03-01"}]'}


def one(data: bytes) -> None:
    """The first byte chooses the parser."""
    name = parsers.NAMES[data[0] % len(parsers.NAMES)] if data else 'filter'
    parsers.read(name, data[1:].decode('utf-8', 'surrogateescape'))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for place, name in enumerate(parsers.NAMES):
            (Path(folder) / name).write_bytes(
                bytes((place,)) + _SEEDS[name].encode())
        atheris.Setup([*sys.argv, '-max_len=4096', folder], one)
        atheris.Fuzz()


if __name__ == '__main__':
    main()
