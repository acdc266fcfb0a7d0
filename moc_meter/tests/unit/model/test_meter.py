# SPDX-License-Identifier: Apache-2.0
import textwrap
from pathlib import Path

import pytest

from moc_meter import errors
from moc_meter.model import meter
from moc_meter.model.sample import MeterKind

OURS = """
meters:
  mail.processed:
    kind: delta
    unit: mail
    resource_type: mail server
    component: mail
    description: Mails that the server has taken, by its own count.
"""


def folder(tmp_path: Path, content: str) -> Path:
    (tmp_path / 'ours.yaml').write_text(textwrap.dedent(content))
    return tmp_path


def test_a_site_adds_a_meter_without_code(tmp_path: Path) -> None:
    found = meter.load(folder(tmp_path, OURS)).find('mail.processed')
    assert found is not None
    assert (found.kind, found.unit) == (MeterKind.DELTA, 'mail')


def test_a_folder_that_does_not_exist_adds_nothing(tmp_path: Path) -> None:
    assert meter.load(tmp_path / 'none').find('volume.size') is not None


def test_a_family_of_meters_is_found_by_its_pattern() -> None:
    found = meter.load().find('instance:m1.tiny with blanks')
    assert found is not None
    assert found.name == 'instance:*'


@pytest.mark.parametrize(('content', 'complaint'), [
    ('a: [', 'not YAML'), ('a: b', "mapping 'meters'"),
    ('meters: {m: 1}', "meter='m'"),
    (OURS.replace('kind: delta', 'kind: dleta'), "value='dleta'"),
    (OURS.replace('unit: mail', 'unit: 3'), "field='unit'"),
    (OURS.replace('unit: mail', 'unit: mail\n    colour: red'),
     "field='colour'"),
    (OURS.replace('unit: mail', 'unit: mail\n    cadence: -1'),
     "field='cadence'"),
    (OURS.replace('mail.processed', 'volume.size'), 'twice')])
def test_a_wrong_definition_is_named(tmp_path: Path, content: str,
                                     complaint: str) -> None:
    with pytest.raises(errors.InvalidDefinition) as refusal:
        meter.load(folder(tmp_path, content))
    assert complaint in str(refusal.value)
