# SPDX-License-Identifier: Apache-2.0
"""How fast Ceilometer stores: its driver, and its collector.

Its turns are shorter than ours, since it takes longer for a sample. So that
it need not meet in each of them what ours met in the first one, its driver
has the meters, resources and metadata of a turn before the clock runs.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from moc_meter.model.sample import MeterKind, Sample, derived_id
from moc_meter.tests.perf import cloud, data
from moc_meter.tests.perf.frame import Side
from moc_meter.tests.perf.peers.ceilometer import PATIENCE, Ceilometer
from moc_meter.tests.perf.peers.services import Services
from moc_meter.tests.servers.base import ServerFailed

#: Samples of a turn, of a batch, and of a message of the pipeline.
_STORED, _BATCH = 2000, 1000
_QUEUED, _MESSAGE = 2000, 100
_LIVE = 1000


def batches(services: Services, _: object) -> Iterator[Side]:
    """Its driver, which is given samples that its dispatcher has parsed."""
    ceilometer, made = services.ceilometer(), cloud.samples()

    def ready() -> None:
        samples = [*itertools.islice(made, _STORED)]
        ceilometer.numbers(samples)
        ceilometer.take(samples, _BATCH)
        ceilometer.do('parse')

    yield Side(name="Ceilometer's driver", unit='samples/s', ready=ready,
               turn=lambda: int(ceilometer.do('store')))


def queued(services: Services, _: object) -> Iterator[Side]:
    """Its collector with its dispatcher to the database, from a full queue.
    """
    collector = _Collector(services.ceilometer(), cloud.samples(), _QUEUED,
                           _MESSAGE)
    yield Side(name="Ceilometer's collector", unit='samples/s',
               ready=collector.ready, turn=collector.turn)


def live(services: Services, _: object) -> Iterator[Side]:
    """Its collector again, with messages of one sample.

    Its notification agent, which would come before that, is left out.
    """
    collector = _Collector(services.ceilometer(), _volumes(), _LIVE, 1)
    yield Side(name='Ceilometer', unit='samples/s', ready=collector.ready,
               turn=collector.turn)


@dataclass(slots=True)
class _Collector:
    """count: samples of a turn; size: of a message."""

    ceilometer: Ceilometer
    samples: Iterator[Sample]
    count: int
    size: int
    expected: int = field(default=0, init=False)

    def ready(self) -> None:
        samples = [*itertools.islice(self.samples, self.count)]
        self.ceilometer.numbers(samples)
        self.ceilometer.take(samples, self.size)
        self.ceilometer.do('publish')
        self.expected += self.count

    def turn(self) -> int:
        stored = self.ceilometer.do('collect', self.expected, PATIENCE / 2)
        if stored != self.expected:
            raise ServerFailed(f'{stored} of {self.expected} are stored')
        return self.count


def _volumes() -> Iterator[Sample]:
    """What is made of the notifications of live.py."""
    for place in itertools.count():
        volume = place % 700
        yield Sample(
            source='openstack', meter='volume.size', kind=MeterKind.GAUGE,
            message_id=derived_id('volume', str(place)), unit='GiB',
            timestamp=data.START + place * datetime.timedelta(seconds=1),
            volume=Decimal(10 + volume % 90),
            resource_id=f'volume-{volume}',
            project_id=f'project-{volume % 60}',
            user_id=f'user-{volume % 60}',
            metadata={'display_name': f'disk {volume}', 'status': 'available',
                      'volume_type': 'fast', 'availability_zone': 'a'})
