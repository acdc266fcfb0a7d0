# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from moc_meter.tests.functional.cmd.command import Manage, configured
from moc_meter.tests.stores import migrated


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    with migrated(database_url) as made:
        yield made


@pytest.fixture
def manage(engine: sa.Engine, database_url: str, tmp_path: Path) -> Manage:
    """The command, on an empty database that has our schema."""
    return configured(tmp_path, {'database': {
        'url': database_url.replace('%', '%%').replace('$', '$$')}})
