# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import datetime
import importlib.resources
from pathlib import Path

import pytest

from moc_meter import errors
from moc_meter.client import times

NOW = datetime.datetime(2026, 3, 30, 10, tzinfo=datetime.UTC)


def local(folder: Path, target: str, **environment: str) -> str:
    link = folder / 'localtime'
    link.symlink_to(target)
    return times.zone('local', environment, link).key


def test_the_local_zone_is_the_machines(tmp_path: Path) -> None:
    file = tmp_path / 'zoneinfo' / 'Asia' / 'Kathmandu'
    file.parent.mkdir(parents=True)
    file.touch()
    assert local(tmp_path, str(file)) == 'Asia/Kathmandu'


@pytest.mark.parametrize(('named', 'meant'), [
    ('Europe/Berlin', 'Europe/Berlin'), (':Asia/Tokyo', 'Asia/Tokyo'),
    ('', 'UTC'), (':/usr/share/zoneinfo/Asia/Tokyo', 'Asia/Tokyo'),
    ('/nowhere', 'UTC')])
def test_or_the_environments(tmp_path: Path, named: str, meant: str) -> None:
    assert local(tmp_path, '/nowhere', TZ=named) == meant


def test_a_machine_without_a_zone_is_in_utc(tmp_path: Path) -> None:
    assert local(tmp_path, '/nowhere') == 'UTC'


def test_a_machine_may_not_say_what_its_zone_is_called(tmp_path: Path
                                                       ) -> None:
    copy = tmp_path / 'localtime'
    copy.write_bytes((importlib.resources.files('tzdata') / 'zoneinfo'
                      / 'Europe' / 'Berlin').read_bytes())
    told = times.period(now=NOW, zone=times.zone('local', {}, copy),
                        start='2026-03-29')
    assert (told.zone_name, told.start) == (
        'local time', datetime.datetime(2026, 3, 28, 23,
                                        tzinfo=datetime.UTC))


def test_a_file_that_is_no_zone_is_named(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidQuery, match=__file__):
        local(tmp_path, '/nowhere', TZ=__file__)


def test_a_wrong_zone_of_the_environment_is_named_as_such(tmp_path: Path
                                                          ) -> None:
    with pytest.raises(errors.InvalidQuery, match="option='TZ'"):
        local(tmp_path, '/nowhere', TZ='CET-1CEST')
