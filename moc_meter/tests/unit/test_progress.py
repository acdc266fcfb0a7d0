# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import sys

import pytest

from moc_meter.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(('stream', 'expected'), [
    (Terminal(), f'\r\x1b[K[{"#" * 20}{" " * 20}]  50%\r\x1b[K'),
    (io.StringIO(), '')])
def test_a_bar_is_drawn_on_a_terminal_only_and_taken_away(
        monkeypatch: pytest.MonkeyPatch, stream: io.StringIO,
        expected: str) -> None:
    monkeypatch.setattr(sys, 'stderr', stream)
    with Progress(4) as progress:
        progress.advance(2)
    assert stream.getvalue() == expected
