# SPDX-License-Identifier: Apache-2.0
"""The tree keeps its own rules."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import moc_meter
from moc_meter import conf
from moc_meter.conf import sample

PACKAGE = Path(moc_meter.__file__).parent
ROOT = PACKAGE.parent
EXACT = ('model', 'storage')


def modules(*rooms: str) -> Iterator[Path]:
    for room in rooms or ('.',):
        for path in sorted((PACKAGE / room).rglob('*.py')):
            if 'tests' not in path.relative_to(PACKAGE).parts:
                yield path


def names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id, node.lineno


def test_ci_runs_the_second_command_of_the_readme_to_the_letter() -> None:
    commands = re.findall(r'^    (\$\(command -v sudo\).*)$',
                          (ROOT / 'README.rst').read_text(), re.MULTILINE)
    last = (ROOT / '.ci' / 'run').read_text().splitlines()[-1]
    assert commands[1] == last
    assert commands[0].endswith('&& tox -e standalone')


@pytest.mark.parametrize('process', conf.PROCESSES)
def test_the_configuration_in_etc_is_what_is_generated(process: str) -> None:
    kept = ROOT / 'etc' / 'moc_meter' / f'{process}.conf'
    assert kept.read_text() == sample.sample(process)


def test_no_process_loads_eventlet() -> None:
    loaded = ';'.join(
        f'import {".".join(path.with_suffix("").parts)}'.replace(
            '.__init__', '')
        for path in (module.relative_to(ROOT) for module in modules())
        if path.name not in ('__main__.py', 'env.py', 'libvirt.py', 'wsgi.py')
        and 'versions' not in path.parts)
    answer = subprocess.run(
        [sys.executable, '-c',
         f"{loaded}; import sys; print('eventlet' in sys.modules)"],
        capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == 'False'


@pytest.mark.parametrize('room', EXACT)
def test_no_binary_float_is_made_where_figures_are_exact(room: str) -> None:
    found = [f'{path}:{line}' for path in modules(room)
             for name, line in names(ast.parse(path.read_text()))
             if name == 'float']
    assert found == []


def test_quantities_are_added_in_one_place() -> None:
    found = [f'{path}:{line}' for path in modules(*EXACT)
             for name, line in names(ast.parse(path.read_text()))
             if name == 'sum']
    assert found == []


def test_every_file_names_its_licence() -> None:
    found = [str(path) for path in PACKAGE.rglob('*.py')
             if not path.read_text().startswith(
                 '# SPDX-License-Identifier: Apache-2.0')]
    assert found == []


def test_bindep_names_one_package_a_line() -> None:
    for line in (ROOT / 'bindep.txt').read_text().splitlines():
        assert re.fullmatch(r'[a-z0-9][a-z0-9+.-]*|#.*', line)


def test_everything_required_is_pinned() -> None:
    def packages(name: str) -> set[str]:
        lines = (ROOT / name).read_text().splitlines()
        return {re.split(r'[\[<>=]', line)[0].lower() for line in lines
                if line and not line.startswith('#')}

    wanted = packages('requirements.txt') | packages('test-requirements.txt')
    assert wanted - packages('constraints.txt') == set()
