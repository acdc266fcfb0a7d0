# SPDX-License-Identifier: Apache-2.0
"""The page about the library, executed."""

from __future__ import annotations

import datetime
import doctest
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from moc_meter import client, errors
from moc_meter.client import faults
from moc_meter.tests.functional.client import serving
from moc_meter.tests.functional.client.serving import Service

PAGE = Path(__file__).parents[4] / 'doc' / 'source' / 'client.rst'


@pytest.fixture
def today(tmp_path: Path) -> Iterator[Service]:
    """A service whose clock goes right."""
    with serving.service(tmp_path, clock=lambda: datetime.datetime.now(
            datetime.UTC)) as made:
        yield made


def test_every_example_does_what_the_page_says(today: Service,
                                               tmp_path: Path) -> None:
    text = PAGE.read_text().replace(
        'http://127.0.0.1:8777', today.url).replace(
        '/var/spool/x', str(tmp_path / 'spool'))
    page = doctest.DocTestParser().get_doctest(
        text, {}, 'client.rst', str(PAGE), 0)
    said: list[str] = []
    try:
        failed, tried = doctest.DocTestRunner().run(
            page, out=said.append, clear_globs=False)
    finally:
        page.globs['client'].close()
    assert tried >= 15
    assert failed == 0, ''.join(said)


def test_every_error_is_in_the_table() -> None:
    table = set(re.findall(r'\* - ``(\w+)``', PAGE.read_text()))
    family = {name for name in client.__all__
              if isinstance(getattr(client, name), type)
              and issubclass(getattr(client, name), faults.ClientFault)}
    assert family == table | {'ClientFault'}


def test_every_method_is_on_the_page() -> None:
    text = PAGE.read_text()
    for kind in (client.Client, client.Reporter, client.Scope):
        for name in vars(kind):
            if not name.startswith('_') and name != 'connection':
                assert re.search(rf'\b{name}\b', text), name


def test_codes_are_stable_names_of_their_own() -> None:
    family = [getattr(client, name) for name in client.__all__
              if isinstance(getattr(client, name), type)
              and issubclass(getattr(client, name), errors.MeterError)]
    codes = [kind.code for kind in family]
    assert len(set(codes)) == len(codes)
    assert all(code.startswith('moc_meter.client') for code in codes)
