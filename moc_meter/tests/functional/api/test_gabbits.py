# SPDX-License-Identifier: Apache-2.0
"""The surface of each noun, one file of requests each.

They are asked of the application itself and of a live server on each of the
databases, and answered alike. A file keeps to a project of its own name.
"""

from __future__ import annotations

import contextlib
import unittest
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from gabbi import handlers, suitemaker, utils

from moc_meter.tests.functional.api import described, wiring
from moc_meter.tests.functional.api.live import served
from moc_meter.tests.servers.mariadb import MariaDB
from moc_meter.tests.servers.postgresql import PostgreSQL

GABBITS = Path(__file__).parent / 'gabbits'
_Said = Sequence[tuple[str, int, str]]


class Place(NamedTuple):
    """Where to ask; application: where no socket is between."""

    host: str
    port: int
    application: Callable[[], Any] | None

    def ask(self, noun: str) -> _Said:
        """What is answered to each request, without where it was asked."""
        requests = utils.load_yaml(yaml_file=str(GABBITS / f'{noun}.yaml'))
        # Reading all certificates anew takes longer than most requests.
        requests.setdefault('defaults', {})['cert_validate'] = False
        suite = suitemaker.test_suite_from_dict(
            unittest.TestLoader(), noun, requests, str(GABBITS),
            self.host, self.port, None, self.application,
            handlers=[handler() for handler in handlers.RESPONSE_HANDLERS])
        asked = list(suite)
        result = unittest.TestResult()
        suite.run(result)
        for test in asked:
            test.http.client.close()
        assert [f'{test}\n{trace}' for test, trace
                in result.failures + result.errors] == []
        assert asked
        assert not result.skipped
        return [(test.test_data['name'], int(test.response['status']),
                 str(test.output).replace(test.netloc, '')) for test in asked]


@pytest.fixture(scope='module')
def places(postgresql_server: PostgreSQL, mariadb_server: MariaDB,
           tmp_path_factory: pytest.TempPathFactory
           ) -> Iterator[Sequence[Place]]:
    folder = tmp_path_factory.mktemp('gabbits')
    databases = (
        f'sqlite:///{folder / "live.sqlite"}',
        postgresql_server.create_database(), mariadb_server.create_database())
    with contextlib.ExitStack() as stack:
        stack.callback(mariadb_server.drop_database, databases[2])
        stack.callback(postgresql_server.drop_database, databases[1])
        here = _filled(stack, f'sqlite:///{folder / "here.sqlite"}').app
        found = [Place('meter.test', 80, lambda: here)]
        for database in databases:
            where = urllib.parse.urlsplit(stack.enter_context(
                served(_filled(stack, database))))
            found.append(Place(where.hostname or '', where.port or 0, None))
        yield found


def _filled(stack: contextlib.ExitStack, url: str) -> Any:
    store = stack.enter_context(wiring.store(url))
    store.write(described.events(), wiring.NOW)
    return wiring.client(store)


@pytest.mark.parametrize('noun', sorted(path.stem for path
                                        in GABBITS.glob('*.yaml')))
def test_the_surface_of_a_noun(places: Sequence[Place], noun: str) -> None:
    first, *others = (place.ask(noun) for place in places)
    for other in others:
        assert other == first
