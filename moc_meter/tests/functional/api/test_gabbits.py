# SPDX-License-Identifier: Apache-2.0
"""The surface of each noun, one file of requests each, on every database."""

from __future__ import annotations

import unittest
from pathlib import Path

import pytest
from gabbi import handlers, suitemaker, utils

from moc_meter.storage.samples.base import SampleStore
from moc_meter.tests.functional.api import wiring

GABBITS = Path(__file__).parent / 'gabbits'


@pytest.mark.parametrize('noun', sorted(path.stem for path
                                        in GABBITS.glob('*.yaml')))
def test_the_surface_of_a_noun(every_store: SampleStore, noun: str) -> None:
    application = wiring.client(every_store).app
    suite = suitemaker.test_suite_from_dict(
        unittest.TestLoader(), noun,
        utils.load_yaml(yaml_file=str(GABBITS / f'{noun}.yaml')),
        str(GABBITS), 'meter.test', 80, None, lambda: application,
        handlers=[handler() for handler in handlers.RESPONSE_HANDLERS])
    result = unittest.TestResult()
    suite.run(result)
    assert result.testsRun > 0
    assert not result.skipped
    assert [f'{test}\n{trace}' for test, trace
            in result.failures + result.errors] == []
