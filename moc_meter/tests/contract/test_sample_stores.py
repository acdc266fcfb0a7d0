# SPDX-License-Identifier: Apache-2.0
"""What every sample store promises, asked of ours and of the fake one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from moc_meter.storage.samples.base import SampleStore
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.testing.store import StoreSuite
from moc_meter.tests.contract.fakes import FakeStore
from moc_meter.tests.stores import migrated


class TestSampleStores(StoreSuite):
    """On three databases; and in memory."""

    @pytest.fixture(params=['fake', 'sqlite', 'postgresql', 'mariadb'])
    def store(self, request: pytest.FixtureRequest
              ) -> Iterator[SampleStore]:
        if request.param == 'fake':
            yield FakeStore()
            return
        with migrated(request.getfixturevalue(
                f'{request.param}_url')) as engine:
            yield SqlSampleStore(engine)
