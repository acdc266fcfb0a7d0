# SPDX-License-Identifier: Apache-2.0
"""What the tests of the store have in common."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from moc_meter.tests.stores import migrated


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """Of a database that has our schema, and nothing in it."""
    with migrated(database_url) as made:
        yield made
