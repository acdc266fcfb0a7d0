# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import itertools
import json
import sys

import pytest

from moc_meter.cmd.manage import files

TWO = [b'{"a": 1}\n', b'{"b": 2}\n']
#: An object, of whose lines one is an object by itself.
PRINTED = json.dumps({'a': [{}], 'b': 1}, indent=2).encode()


def read(monkeypatch: pytest.MonkeyPatch, content: bytes) -> list[bytes]:
    monkeypatch.setattr(sys, 'stdin', io.TextIOWrapper(io.BytesIO(content)))
    return [found for _, found in files.documents(['-'])]


@pytest.mark.parametrize(('content', 'expected'), [
    (b'', []),
    (b'{"a": 1}\n\n{"b": 2}\n', TWO),
    (b'{\n"a": {}\n}\n', [b'{\n"a": {}\n}\n']),
    (PRINTED, [PRINTED]),
    (b'[' + PRINTED + b']', [b'[' + PRINTED + b']']),
    (b'nonsense\n{"b": 2}\n', [b'nonsense\n', TWO[1]]),
    (b'{"a": 1}\nnonsense\n', [TWO[0], b'nonsense\n']),
    (b'non\nsense\n', [b'non\nsense\n'])])
def test_a_file_is_one_document_or_one_a_line(
        monkeypatch: pytest.MonkeyPatch, content: bytes,
        expected: list[bytes]) -> None:
    assert read(monkeypatch, content) == expected


@pytest.mark.parametrize('document', [PRINTED, b'non\nsense\n'])
def test_a_document_has_a_longest_size(monkeypatch: pytest.MonkeyPatch,
                                       document: bytes) -> None:
    monkeypatch.setattr(files, '_LONGEST', len(document))
    assert read(monkeypatch, document) == [document]
    monkeypatch.setattr(files, '_LONGEST', len(document) - 1)
    assert read(monkeypatch, document) == document.splitlines(keepends=True)


def test_lines_are_not_read_ahead_without_bound(
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, '_LONGEST', 1000)
    sent = itertools.chain([b'nonsense\n'], itertools.repeat(TWO[0], 10_000))
    found = files._documents('-', sent)
    assert next(found) == ('-:1', b'nonsense\n')
    assert len(list(sent)) > 9_000
