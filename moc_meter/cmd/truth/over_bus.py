# SPDX-License-Identifier: Apache-2.0
"""Samples to the collectors' queue, in messages like those of an agent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from moc_meter import errors, signing
from moc_meter.cmd.truth import address
from moc_meter.messaging import amqp
from moc_meter.messaging.base import Sender
from moc_meter.model import period
from moc_meter.model.sample import MeterKind, Sample
from moc_meter.publisher import messages
from moc_meter.truth import forms


class OverBus:
    """Counts what the broker has confirmed; not what became of it."""

    complete = True     # what is not confirmed is an error

    def __init__(self, sender: Sender, signer: signing.Signer | None = None
                 ) -> None:
        self.counts: Counter[str] = Counter()
        self._sender = sender
        self._signer = signer

    def send(self, samples: Sequence[forms.Sample]) -> None:
        """Raises BusUnavailable where the broker does not confirm."""
        for message in messages.encoded([*map(sample, samples)], (),
                                        self._signer):
            self._sender.send(message)
        self.counts['confirmed'] += len(samples)

    def close(self) -> None:
        self._sender.close()


def connect(url: str, queue: str, signing_key: str | None,
            ca_file: str | None) -> OverBus:
    """Raises InvalidConfiguration, BusMismatch, BusUnavailable."""
    try:
        sender = amqp.connect(
            url=url, queue=queue,
            ssl_ca_file=Path(ca_file) if ca_file else None).sender()
    except ValueError:
        raise errors.InvalidConfiguration(
            'not the URL of a bus; amqp://USER:PASSWORD@HOST:PORT/VHOST is',
            option='--bus', value=address.bare(url)) from None
    sender.check()
    return OverBus(sender, signing.load_signer(Path(signing_key))
                   if signing_key else None)


def sample(one: forms.Sample) -> Sample:
    """A sample of the truth as one of ours; to the last digit."""
    return Sample(
        source=one.source, message_id=one.message_id,
        timestamp=period.instant(one.timestamp), meter=one.meter,
        kind=MeterKind(one.kind), unit=one.unit,
        volume=Decimal(f'{one.volume}E-9'), resource_id=one.resource_id,
        project_id=one.project_id, user_id=one.user_id,
        metadata=one.metadata, sequence=one.sequence,
        interval=(None if one.interval is None else
                  (period.instant(one.interval[0]),
                   period.instant(one.interval[1]))),
        counter_start=(None if one.counter_start is None
                       else period.instant(one.counter_start)))
