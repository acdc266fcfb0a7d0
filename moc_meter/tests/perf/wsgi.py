# SPDX-License-Identifier: Apache-2.0
"""The application that uWSGI loads where it is measured.

That of cmd/wsgi.py, with its configuration file named by the environment; or,
where CONSTANT is set, one that asks its database once.
"""

from __future__ import annotations

import os

from moc_meter import conf
from moc_meter.cmd import api, build, build_api, build_store
from moc_meter.model.query import StatisticsQuestion, StatisticsRow
from moc_meter.storage.samples.sql import SqlSampleStore

#: Of the environment.
CONFIGURATION, CONSTANT = 'MOC_METER_PERF_FILE', 'MOC_METER_PERF_CONSTANT'


class _Constant(SqlSampleStore):
    """Answers every question of statistics as it answered the first one."""

    _said: list[StatisticsRow] | None = None

    def statistics(self, question: StatisticsQuestion
                   ) -> list[StatisticsRow]:
        if self._said is None:
            self._said = super().statistics(question)
        return list(self._said)


if CONFIGURATION in os.environ:
    _conf = conf.load(api.NAME, [], files=[os.environ[CONFIGURATION]])
    application = (
        build_api.application(
            _conf, _Constant(build_store.engine(_conf)),
            build.bus(_conf).sender())
        if os.environ[CONSTANT] else api.application(_conf))
