# SPDX-License-Identifier: Apache-2.0
"""moc-meter-manage sample load: samples out of files, straight to the store.

They go through a collector, as they would from the bus: what it admits, it
stores, and the rest goes to quarantine.
"""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Iterator, Sequence

from oslo_config import cfg

from moc_meter import errors
from moc_meter.cmd import build, build_store
from moc_meter.cmd.manage import arguments, files, output, record
from moc_meter.cmd.manage.arguments import Group
from moc_meter.collector.dispatcher.storage import StorageDispatcher
from moc_meter.collector.service import Collector, Counts
from moc_meter.messaging.base import Handle
from moc_meter.model.sample import Refused, Sample
from moc_meter.progress import Progress
from moc_meter.publisher import messages

#: Lines that one transaction stores at most.
_BATCH = 1000


def commands(group: Group) -> None:
    load_ = group.add_command(
        'load', load,
        'Store samples, one JSON object a line, with the fields of the v2 API '
        '(counter_name, counter_type, counter_unit, counter_volume, '
        'resource_id, timestamp; source, project_id, user_id, message_id and '
        'a nested resource_metadata may be there). They are admitted as the '
        'collector admits; what is refused goes to quarantine. May be '
        'interrupted and run again. Without a message_id equal lines are one '
        'sample. Ends with {"stored": n, "duplicate": n, "quarantined": n}.',
        '0: every line is in the store or in quarantine')
    arguments.files(load_, 'samples as JSON lines')


def load(conf: cfg.ConfigOpts) -> int:
    """Raises StoreUnavailable where the store is waited for in vain."""
    store = build_store.store(conf)
    store.ping()
    reader = FileReader(conf.command.files, conf.sample_source)
    collector = Collector(
        reader, [StorageDispatcher(store)], build.admission(conf),
        clock=build.now, hold_seconds=conf.collector.hold_seconds)
    try:
        collector.run(threading.Event())
    except KeyboardInterrupt:
        print('interrupted; may be run again, and passes over what is '
              f'stored: {output.line(_counted(collector.counts))}',
              file=sys.stderr)
        return arguments.INTERRUPTED
    if reader.fault:
        raise reader.fault
    print(output.line(_counted(collector.counts)))
    return 0


def _counted(counts: Counts) -> dict[str, int]:
    return {'stored': counts.stored, 'duplicate': counts.duplicates,
            'quarantined': counts.refused + counts.conflicts
            + counts.expired}


class FileReader:
    """The far end of a bus whose messages are made of lines of files.

    It is read once, and stops its run at the end; and at the first fault,
    which stands in ``fault`` then, where a bus would deliver again.
    """

    def __init__(self, names: Sequence[str], source: str) -> None:
        """source: of samples that name none."""
        self._names = names
        self._source = source
        self.fault: errors.MeterError | None = None

    def run(self, handle: Handle, stop: threading.Event) -> None:
        try:
            with Progress(files.size(self._names)) as progress:
                for lines in _batches(files.lines(self._names)):
                    handle(self._messages(lines))
                    progress.advance(sum(map(len, lines)))
        except errors.MeterError as fault:
            self.fault = fault
        finally:
            stop.set()

    def check(self) -> None:
        """Files are opened one after the other."""

    def close(self) -> None:
        """And closed."""

    def _messages(self, lines: Sequence[bytes]) -> list[bytes]:
        samples: list[Sample] = []
        refused: list[Refused] = []
        for line in lines:
            try:
                samples.append(record.read(line, self._source))
            except errors.InvalidSample as fault:
                refused.append(Refused(
                    content=line, code=fault.code, reason=str(fault),
                    origin=record.ORIGIN, source=self._source))
        return messages.encoded(samples, refused, None)


def _batches(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    while batch := list(itertools.islice(lines, _BATCH)):
        yield batch
