# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

import moc_meter
from moc_meter.cmd import metrics
from moc_meter.cmd.metrics import METRICS, Metric

PAGE = Path(moc_meter.__file__).parents[1] / 'doc/source/metrics.rst'


def test_the_page_of_metrics_is_what_the_list_says() -> None:
    assert PAGE.read_text() == metrics.document()


@pytest.mark.parametrize('metric', METRICS.values(),
                         ids=lambda metric: metric.name)
def test_a_metric_has_a_unit_and_a_sentence(metric: Metric) -> None:
    assert metric.unit
    assert metric.sentence.endswith('.')
    assert metric.name.startswith(('moc_meter_agent_',
                                   'moc_meter_collector_'))
