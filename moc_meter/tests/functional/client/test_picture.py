# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
import zoneinfo
from pathlib import Path

import pytest

from moc_meter import errors
from moc_meter.client import picture
from moc_meter.client.times import Period
from moc_meter.tests.unit.client.test_plot import series

NEW_YORK = Period(start=None, end=None,
                  zone=zoneinfo.ZoneInfo('America/New_York'))
COURSE = [series('8', '4', None, '0', '2', label='genomics', unit='MiB'),
          series('1', '-4', label='$x_1$ <日本>', unit='MiB')]
GROUPS = [series('8', label='genomics'), series('4', label='_a')]


def written(path: Path, *, title: str = 'memory', course: bool = True
            ) -> bytes:
    picture.write(COURSE if course else GROUPS, path, title=title,
                  within=NEW_YORK)
    return path.read_bytes()


def words(svg: bytes) -> list[str]:
    return [(text.text or '').strip() for text in ElementTree.fromstring(
        svg).iter('{http://www.w3.org/2000/svg}text')]


def test_an_svg_says_what_is_drawn(tmp_path: Path) -> None:
    said = words(written(tmp_path / 'a.svg', title='a $1 & b'))
    assert {'a $1 & b', 'genomics', '$x_1$ <日本>', '4 MiB',
            'America/New_York'} <= set(said)


def test_groups_are_compared_under_their_names(tmp_path: Path) -> None:
    said = words(written(tmp_path / 'a.svg', course=False))
    assert {'genomics', '_a', '8 vcpu'} <= set(said)


def test_ticks_are_round_in_the_unit_that_suits(tmp_path: Path) -> None:
    picture.write([series('7200000000000', '18000000000000', unit='ns')],
                  tmp_path / 'a.svg', title='cpu', within=NEW_YORK)
    assert {'2 h', '3 h', '5 h'} <= set(words(
        (tmp_path / 'a.svg').read_bytes()))


def test_the_same_figures_give_the_same_bytes(tmp_path: Path) -> None:
    assert written(tmp_path / 'a.svg') == written(tmp_path / 'b.SVG')


def test_a_png_is_one(tmp_path: Path) -> None:
    assert written(tmp_path / 'a.png').startswith(b'\x89PNG')


def test_nothing_can_be_drawn_too(tmp_path: Path) -> None:
    picture.write([], tmp_path / 'a.svg', title='none', within=NEW_YORK)
    assert 'none' in words((tmp_path / 'a.svg').read_bytes())


def test_many_groups_find_room_for_their_names(tmp_path: Path) -> None:
    names = [f'project {number}' for number in range(50)]
    picture.write([series('1', '2', label=name) for name in names],
                  tmp_path / 'a.svg', title='many', within=NEW_YORK)
    found = ElementTree.fromstring((tmp_path / 'a.svg').read_bytes())
    *_, high = map(float, found.attrib['viewBox'].split())
    heights = [float(text.attrib['y']) for text in found.iter(
        '{http://www.w3.org/2000/svg}text') if text.text in names]
    assert len(heights) == len(names)
    assert 0 < min(heights) < max(heights) < high


def test_a_gap_is_no_line(tmp_path: Path) -> None:
    """The course of the first has two parts: 1 to 3 and 4 to 6 March."""
    found = ElementTree.fromstring(written(tmp_path / 'a.svg'))
    moves = [path.attrib['d'].count('M') for path in found.iter(
        '{http://www.w3.org/2000/svg}path')
        if 'clip-path' in path.attrib and '#1f77b4' in path.get('style', '')]
    assert moves == [2]


def test_where_nothing_can_be_written_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidQuery, match='No such file'):
        written(tmp_path / 'nowhere' / 'a.svg')


def test_without_matplotlib_it_is_said_how_to_get_it() -> None:
    done = subprocess.run(
        [sys.executable, '-c',
         ('import sys; sys.modules["matplotlib"] = None\n'
         'from moc_meter.client import picture\n'
         'picture.check()')],
        check=False, capture_output=True, text=True)
    assert "pip install 'moc_meter[plot]'" in done.stderr
    assert 'MissingLibrary' in done.stderr


def test_matplotlib_is_imported_by_who_draws_only() -> None:
    done = subprocess.run(
        [sys.executable, '-c',
         ('import sys\n'
         'from moc_meter.client import picture, plot, readable, times\n'
         'print("matplotlib" in sys.modules)')],
        check=True, capture_output=True, text=True)
    assert done.stdout == 'False\n'
