# SPDX-License-Identifier: Apache-2.0
"""The user guide as it is printed: questions, commands, answers."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_FILE = Path(__file__).parents[3] / 'doc' / 'source' / 'user-guide.rst'
#: A title and what is below it, up to the next one.
_SECTION = re.compile(
    r'^([^\n]+)\n-{3,}\n\n(.*?)(?=^[^\n]+\n-{3,}\n|\Z)',
    re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r'^\.\. code-block:: console\n\n((?: {3}.*\n|\n)+)',
                    re.MULTILINE)
_COMMAND = re.compile(r'\$ ((?:.*\\\n)*.*)\n')


class Shown(NamedTuple):
    """A question, the command that answers it, and what it prints."""

    question: str
    command: str
    answer: str


def questions() -> Iterator[Shown]:
    """Those that are answered by a command."""
    for title, section in _SECTION.findall(_FILE.read_text()):
        for text in _BLOCK.findall(section):
            block = textwrap.dedent(text).rstrip('\n') + '\n'
            found = _COMMAND.match(block)
            assert found, block
            yield Shown(title, found[1], block[found.end():])
