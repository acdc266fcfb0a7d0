# SPDX-License-Identifier: Apache-2.0
"""What a service refused for ever: a line each, to be read and mended."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

from moc_meter import errors
from moc_meter.client import said
from moc_meter.client.models import Outcome
from moc_meter.model.sample import Sample
from moc_meter.publisher import disk


class Refusals:
    """A file of JSON lines that only grows:

        {"at": "…", "status": "refused", "reason": "…", "sample": {…}}

    A sample is written as POST /v2/ingest takes it, so that what has been
    mended can be sent. Whoever has read the file may remove it while it is
    not open here.
    """

    def __init__(self, path: Path) -> None:
        """Raises InvalidConfiguration where it cannot be opened."""
        try:
            path.touch(mode=0o600)  # what is used is nobody else's business
            self._file = path.open('ab+', buffering=0)
            disk.sync(path.parent)
        except OSError as fault:
            raise errors.InvalidConfiguration(
                'the file of what is refused cannot be opened',
                path=str(path), reason=str(fault)) from fault
        self._count = self._begin_line()

    @property
    def count(self) -> int:
        """The lines that are in the file."""
        return self._count

    def keep(self, refused: Sequence[tuple[Sample, Outcome]],
             now: datetime.datetime) -> None:
        """Return when they are on disk; SpoolFull where it has no room."""
        lines = [said.json({
            'at': now, 'status': outcome.status, 'reason': outcome.reason,
            'sample': said.ingested(sample)}) for sample, outcome in refused]
        if not lines:
            return
        disk.append(self._file,
                    ''.join(f'{line}\n' for line in lines).encode())
        self._count += len(lines)

    def close(self) -> None:
        self._file.close()

    def _begin_line(self) -> int:
        """Remove a line that a crash has torn; how many there are."""
        self._file.seek(0)
        count = end = 0
        for line in self._file:
            if line.endswith(b'\n'):
                count, end = count + 1, end + len(line)
        self._file.truncate(end)
        return count
