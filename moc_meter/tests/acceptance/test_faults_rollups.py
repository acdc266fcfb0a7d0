# SPDX-License-Identifier: Apache-2.0
"""A wrong rollup is found and healed by the installed command."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from moc_meter.model import period
from moc_meter.storage import engine as transactions
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.acceptance.faults import script
from moc_meter.tests.stores import LATE, NOW, migrated, sample

Manage = Callable[[str], tuple[int, str]]


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """Of one hour of the resource i-0, and the next, which is of a new day."""
    with migrated(database_url) as made:
        SqlSampleStore(made).write([sample(3 * place) for place in range(9)],
                                   NOW)
        yield made


@pytest.fixture
def manage(database_url: str, tmp_path: Path) -> Manage:
    """Runs a command of rollups; its status and what it says."""
    settings = tmp_path / 'manage.conf'
    settings.write_text(f'[database]\nurl = {database_url}\n')

    def run(command: str) -> tuple[int, str]:
        done = subprocess.run(
            [script('moc-meter-manage'), '--config-file', settings,
             'rollup', command], capture_output=True, text=True)
        return done.returncode, done.stdout
    return run


def test_a_planted_error_is_found_and_healed(
        engine: sa.Engine, manage: Manage) -> None:
    cells, hour = tables.rollup_hour, period.floor(LATE, period.HOUR)
    with transactions.writing(engine) as conn:
        conn.execute(sa.update(cells).where(cells.c.start == hour).values(
            sum=Decimal('18.000000001')))
        number = conn.scalar(sa.select(cells.c.series_id).distinct())
    status, said = manage('verify')
    assert status == 1
    assert "table='rollup_hour'" in said
    assert f'key=({number}, {period.microseconds(hour)})' in said
    assert '18.000000001' in said
    assert said.endswith('1 differences\n')
    assert manage('rebuild') == (0, '1 cells replaced\n')
    assert manage('verify') == (0, '0 differences\n')
