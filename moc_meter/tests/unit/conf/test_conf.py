# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from moc_meter import conf, errors


def file(tmp_path: Path, content: str) -> list[str]:
    path = tmp_path / 'x.conf'
    path.write_text(content)
    return ['--config-file', str(path)]


def test_an_option_that_is_not_set_has_its_default() -> None:
    assert conf.load('moc-meter-api', [], files=[]).api.port == 8777


@pytest.mark.parametrize(('content', 'complaint'), [
    ('[api]\nporrt = 1\n', "option='porrt'"),
    ('[apy]\nport = 1\n', "section='apy'"),
    ('[api]\nport = 99999\n', "option='port'"),
    ('[collector]\nhold_seconds = soon\n', "option='hold_seconds'"),
    ('nonsense', 'nonsense')])
def test_a_wrong_file_is_refused_by_naming_what_is_wrong(
        tmp_path: Path, content: str, complaint: str) -> None:
    with pytest.raises(errors.InvalidConfiguration) as refusal:
        conf.load('moc-meter-api', file(tmp_path, content))
    assert complaint in str(refusal.value)


def test_a_file_may_hold_the_sections_of_other_processes(
        tmp_path: Path) -> None:
    settings = conf.load('moc-meter-api', file(
        tmp_path, '[DEFAULT]\ndebug = true\n[polling]\ninterval = 10\n'))
    assert settings.debug is True


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(errors.InvalidConfiguration, match='/no/such'):
        conf.load('moc-meter-api', ['--config-file', '/no/such'])
