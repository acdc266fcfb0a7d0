# SPDX-License-Identifier: Apache-2.0
"""The built-in definitions, held against the catalogue of OpenStack's."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from moc_meter.model import meter

_CATALOGUE = Path(__file__).parents[2] / 'data' / 'meters.csv'
# What a message carries has the kind and unit that the message says.
_CARRIED = 'as carried'
_NAMES = {'instance:<flavor>': 'instance:m1.tiny'}


def rows() -> Iterator[dict[str, str]]:
    with _CATALOGUE.open(newline='') as file:
        yield from (row for row in csv.DictReader(file)
                    if row['type'] != _CARRIED)


@pytest.fixture(scope='module')
def definitions() -> meter.Definitions:
    return meter.load()


@pytest.mark.parametrize('row', list(rows()), ids=lambda row: row['name'])
def test_a_meter_of_the_catalogue_is_defined_as_it_says(
        row: dict[str, str], definitions: meter.Definitions) -> None:
    found = definitions.find(_NAMES.get(row['name'], row['name']))
    assert found is not None
    assert found.kind.value == row['type']
    units = [*row['unit'].split(', '), row['unit_legacy']]
    assert list(found.units) == [unit for place, unit in enumerate(units)
                                 if unit or not place]


@pytest.mark.parametrize('row', [row for row in rows() if row['profile']],
                         ids=lambda row: row['name'])
def test_a_meter_has_the_profile_and_rhythm_of_the_catalogue(
        row: dict[str, str], definitions: meter.Definitions) -> None:
    found = definitions.find(_NAMES.get(row['name'], row['name']))
    assert found is not None
    assert found.profile == row['profile']
    assert found.cadence == (600 if row['profile'] == 'poll' else None)


def test_every_flavor_is_of_the_same_family(
        definitions: meter.Definitions) -> None:
    found = definitions.find('instance:15GB Standard Instance')
    assert found is definitions.find('instance:*')


def test_temperatures_may_be_below_zero_and_volumes_not(
        definitions: meter.Definitions) -> None:
    allowed = {found.name for found in definitions if found.allow_negative}
    assert 'hardware.ipmi.temperature' in allowed
    assert not allowed & {'volume.size', 'memory', 'bandwidth', 'cpu'}


def test_no_meter_is_described_by_nothing(
        definitions: meter.Definitions) -> None:
    assert [found.name for found in definitions
            if len(found.description.split()) < 3] == []
