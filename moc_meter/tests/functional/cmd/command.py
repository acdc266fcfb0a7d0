# SPDX-License-Identifier: Apache-2.0
"""Running the operator's command as an operator does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND = (sys.executable, '-m', 'moc_meter.cmd.manage')
_SECONDS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    out: bytes
    err: str

    @property
    def objects(self) -> list[Any]:
        """The lines of the output, each a JSON object."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True, slots=True)
class Manage:
    """The command with a configuration file of its own."""

    file: Path

    def arguments(self, *asked: str | Path) -> list[str]:
        return [*COMMAND, '--config-file', str(self.file),
                *map(str, asked)]

    def __call__(self, *asked: str | Path, stdin: bytes = b'') -> Answer:
        done = subprocess.run(self.arguments(*asked), input=stdin,
                              capture_output=True, timeout=_SECONDS,
                              check=False)
        return Answer(status=done.returncode, out=done.stdout,
                      err=done.stderr.decode())


def configured(folder: Path, sections: Mapping[str, Mapping[str, str]]
               ) -> Manage:
    """The command; sections: options by section."""
    file = folder / 'manage.conf'
    file.write_text(''.join(
        f'[{section}]\n' + ''.join(f'{name} = {value}\n'
                                   for name, value in options.items())
        for section, options in sections.items()))
    return Manage(file)
