# SPDX-License-Identifier: Apache-2.0
"""The service as it is installed: its scripts, each a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from moc_meter.tests.servers import base

#: Seconds that anything may take on a busy machine.
PATIENCE = 180.0
_LISTENS = 'moc_meter listens on '

Options = Mapping[str, Mapping[str, object]]


class Installation:
    """Scripts with one configuration file; ends what it started."""

    def __init__(self, folder: Path, options: Options) -> None:
        """options: by section, each by name."""
        self._folder = folder
        self._file = folder / 'moc_meter.conf'
        self._file.write_text('\n'.join(
            line for section, values in options.items()
            for line in (f'[{section}]', *(
                f'{name} = {value}' for name, value in values.items()))))
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self._running):
            self.stop(name)

    def run(self, name: str, *arguments: str) -> None:
        """Run a script to its end, which must be a good one."""
        subprocess.run(
            [*self._command(name), *arguments], check=True,
            timeout=PATIENCE, stdin=subprocess.DEVNULL)

    def start(self, name: str) -> subprocess.Popen[bytes]:
        """Start a script that runs until it is stopped."""
        with self.log(name).open('ab') as output:
            process = subprocess.Popen(
                self._command(name), stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT)
        self._running[name] = process
        return process

    def stop(self, name: str) -> None:
        """Ask it to end, and see that it ends well."""
        process = self._running.pop(name)
        process.terminate()
        try:
            status = process.wait(PATIENCE)
        finally:
            process.kill()
        assert status == 0, self.log(name).read_text(errors='replace')

    def log(self, name: str) -> Path:
        return self._folder / f'{name}.log'

    def get(self, path: str, **query: str) -> Any:
        """What the API answers."""
        address = f'{self._address()}/v2/{path}'
        if query:
            address += '?' + urllib.parse.urlencode(query)
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
            return json.load(answer)

    def _address(self) -> str:
        base.until(lambda: _LISTENS in self.log('moc-meter-api').read_text(),
                   PATIENCE, 'the API to listen')
        said = self.log('moc-meter-api').read_text()
        return said.partition(_LISTENS)[2].split()[0].rstrip('/')

    def _command(self, name: str) -> list[str]:
        script = Path(sys.executable).with_name(name)
        return [str(script), '--config-file', str(self._file)]

