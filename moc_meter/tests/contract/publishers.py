# SPDX-License-Identifier: Apache-2.0
"""The publishers that the contract is asked of, and one in its own process.

python -m moc_meter.tests.contract.publishers KIND PATH [CALL,CALL ERRNO]
publishes batch after batch and prints how many were promised so far. With
calls, these fail after the first batch; then it prints the refusal's code.
"""

from __future__ import annotations

import datetime
import itertools
import sys
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path

from moc_meter import errors
from moc_meter.messaging import codec
from moc_meter.model.sample import MeterKind, Sample
from moc_meter.publisher import file
from moc_meter.publisher.base import Publisher
from moc_meter.publisher.bus import BusPublisher
from moc_meter.publisher.file import FilePublisher
from moc_meter.publisher.spool import Spool
from moc_meter.tests.contract import syscalls

NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
BATCH = 3       # samples of a batch that the process publishes


class AwayBus:
    """A sender whose bus is away, so that everything stays spooled."""

    def send(self, message: bytes) -> None:
        raise errors.BusUnavailable('the bus is away', bytes=len(message))

    def check(self) -> None:
        """There is nothing to look at."""

    def close(self) -> None:
        """There is nothing to close."""


def _bus(path: Path) -> Publisher:
    return BusPublisher(Spool(path, max_bytes=10**9), AwayBus())


def _spooled(path: Path) -> list[bytes]:
    spool = Spool(path, max_bytes=10**9)
    try:
        return [message for _, message in spool.peek(10**6)]
    finally:
        spool.close()


#: How each one is opened, and how what it keeps is read when it is closed.
OPEN: Mapping[str, Callable[[Path], Publisher]] = {
    'bus': _bus, 'file': FilePublisher}
KEPT: Mapping[str, Callable[[Path], list[bytes]]] = {
    'bus': _spooled, 'file': lambda path: list(file.read(path))}


def sample(number: int) -> Sample:
    return Sample(source='region-1', message_id=f'm-{number}', timestamp=NOON,
                  meter='vcpus', kind=MeterKind.GAUGE, unit='vcpu',
                  volume=Decimal(number), resource_id='i-1')


def kept(kind: str, path: Path) -> list[Sample]:
    """The samples that a closed or killed publisher keeps, in order."""
    return [one for message in KEPT[kind](path)
            for one in codec.decode(message).samples]


def main(kind: str, path: str, calls: str = '', error: str = '') -> None:
    publisher = OPEN[kind](Path(path))
    for batch in itertools.count():
        try:
            publisher.publish([sample(batch * BATCH + place)
                               for place in range(BATCH)])
        except (errors.MeterError, OSError) as fault:
            print(getattr(fault, 'code', type(fault).__name__), flush=True)
            return
        print(batch + 1, flush=True)
        if calls:
            syscalls.fail(tuple(calls.split(',')), int(error))


if __name__ == '__main__':
    main(*sys.argv[1:])
