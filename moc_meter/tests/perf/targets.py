# SPDX-License-Identifier: Apache-2.0
"""All that is promised of speed and size."""

from __future__ import annotations

from collections.abc import Mapping

from moc_meter.tests.perf.asking import T5, T6
from moc_meter.tests.perf.crowd import T8, T9
from moc_meter.tests.perf.export import T12
from moc_meter.tests.perf.footprint import T13
from moc_meter.tests.perf.frame import Target
from moc_meter.tests.perf.lists import T7
from moc_meter.tests.perf.live import T3
from moc_meter.tests.perf.pipeline import T2
from moc_meter.tests.perf.polling import T4
from moc_meter.tests.perf.pools import POOLS
from moc_meter.tests.perf.retention import T11
from moc_meter.tests.perf.size import T10
from moc_meter.tests.perf.small import SMALL
from moc_meter.tests.perf.store import T1
from moc_meter.tests.perf.two_collectors import TWO_COLLECTORS

TARGETS: Mapping[str, Target] = {target.name: target for target in (
    T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, SMALL,
    TWO_COLLECTORS, POOLS)}
#: What is measured with --cheap.
CHEAP = ('T1', 'T5', 'T8')
