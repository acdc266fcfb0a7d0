# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sqlalchemy as sa

from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.storage.tables import samples as tables
from moc_meter.tests.functional.cmd.command import Manage
from moc_meter.tests.stores import NOW, count, sample


def test_a_database_is_emptied_when_it_is_confirmed(
        manage: Manage, engine: sa.Engine) -> None:
    store = SqlSampleStore(engine)
    store.write([sample(0)], NOW)
    refusal = manage('db', 'reset')
    assert (refusal.status, '--yes' in refusal.err) == (2, True)
    assert count(engine, tables.sample) == 1
    assert manage('db', 'reset', '--yes').status == 0
    assert count(engine, tables.sample) == 0
    assert store.write([sample(0)], NOW).stored == 1
