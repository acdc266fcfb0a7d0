# SPDX-License-Identifier: Apache-2.0
"""To a file, for tests and for carrying by hand."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from moc_meter import errors
from moc_meter.model.sample import Refused, Sample
from moc_meter.publisher import disk, messages

if TYPE_CHECKING:
    # Its library is large, and of use to those who sign only.
    from moc_meter import signing

#: A message is lines of JSON, none of them empty; an empty one ends it.
_END = b'\n\n'
_BEGINNING = b'{"v":'


class FilePublisher:
    """Lines of JSON, forced to disk before the caller is told."""

    def __init__(self, path: Path,
                 signer: signing.Signer | None = None) -> None:
        """Open the file at its end; make it where there is none.

        A last message that a crash has torn is removed: its batch was never
        promised, and the next one must not be glued to it.
        Raises InvalidConfiguration where the file cannot be opened, is not
        one of ours, or is open in another process.
        """
        self._signer = signer
        self._lock = threading.Lock()
        self._owner = disk.own(path)
        try:
            self._file = _open(path)
        except BaseException:
            self._owner.close()
            raise

    def publish(self, samples: Sequence[Sample],
                refused: Sequence[Refused] = ()) -> None:
        """Return when the batch is in the file, on disk."""
        content = b''.join(
            message + _END
            for message in messages.encoded(samples, refused, self._signer))
        with self._lock:
            disk.append(self._file, content)

    def close(self) -> None:
        with self._lock:
            self._file.close()
            self._owner.close()


def read(path: Path) -> Iterator[bytes]:
    """The messages of a file, oldest first; a torn last one is none."""
    message = b''
    with path.open('rb') as lines:
        for line in lines:
            message += line
            if message.endswith(_END):
                yield message.removesuffix(_END)
                message = b''


def _open(path: Path) -> io.FileIO:
    try:
        file = path.open('ab+', buffering=0)
    except OSError as fault:
        raise errors.InvalidConfiguration(
            'the file cannot be opened', path=str(path),
            reason=str(fault)) from fault
    file.seek(0)
    if not _BEGINNING.startswith(file.read(len(_BEGINNING))):
        file.close()
        raise errors.InvalidConfiguration('the file is not one of ours',
                                          path=str(path))
    file.truncate(sum(len(message + _END) for message in read(path)))
    disk.sync(path.parent)
    return file
