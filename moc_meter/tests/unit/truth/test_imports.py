# SPDX-License-Identifier: Apache-2.0
"""The generator shares nothing with the service that it is to check."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from moc_meter import truth

FILES = sorted(Path(truth.__file__).parent.rglob('*.py'))


def imported(file: Path) -> Iterator[str]:
    """The modules that a file imports; relative ones begin with a dot."""
    for node in ast.walk(ast.parse(file.read_text())):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=module, level=level):
                yield '.' * level + (module or '')


def is_allowed(module: str) -> bool:
    return (module.partition('.')[0] in sys.stdlib_module_names
            or module == 'moc_meter.truth'
            or module.startswith('moc_meter.truth.'))


@pytest.mark.parametrize('file', FILES, ids=lambda file: file.stem)
def test_only_python_and_itself_are_imported(file: Path) -> None:
    parent = 'from moc_meter import '
    assert parent not in file.read_text()
    assert [module for module in imported(file)
            if not is_allowed(module)] == []


@pytest.mark.parametrize('module', [
    'moc_meter', 'moc_meter.model', 'moc_meter.truthful', 'oslo_config', '.'])
def test_another_import_would_be_found(module: str) -> None:
    assert not is_allowed(module)


def test_all_files_are_looked_at() -> None:
    assert {'world', 'forms', 'check'} <= {file.stem for file in FILES}
