# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import sys

import pytest

from moc_meter.cmd.manage import files

TWO = [b'{"a": 1}\n', b'{"b": 2}\n']


def read(monkeypatch: pytest.MonkeyPatch, content: bytes) -> list[bytes]:
    monkeypatch.setattr(sys, 'stdin', io.TextIOWrapper(io.BytesIO(content)))
    return [found for _, found in files.documents(['-'])]


@pytest.mark.parametrize(('content', 'expected'), [
    (b'', []),
    (b'{"a": 1}\n\n{"b": 2}\n', TWO),
    (b'{\n"a": {}\n}\n', [b'{\n"a": {}\n}\n']),
    (b'nonsense\n{"b": 2}\n', [b'nonsense\n', TWO[1]]),
    (b'{"a": 1}\nnonsense\n', [TWO[0], b'nonsense\n']),
    (b'non\nsense\n', [b'non\nsense\n'])])
def test_a_file_is_one_document_or_one_a_line(
        monkeypatch: pytest.MonkeyPatch, content: bytes,
        expected: list[bytes]) -> None:
    assert read(monkeypatch, content) == expected
