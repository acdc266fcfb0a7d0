# SPDX-License-Identifier: Apache-2.0
"""Samples and refused things, as the suites need them."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

from moc_meter.model import meter
from moc_meter.model.admission import Admission
from moc_meter.model.sample import MeterKind, Refused, Sample, derived_id

NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
BAD = Refused(content=b'\xff\0', code='moc_meter.sample.invalid',
              reason='no volume', origin='agent notification')


def sample(number: int = 0, **changes: Any) -> Sample:
    """The sample of a number: one a minute since NOON, of three resources."""
    said: dict[str, Any] = {
        'source': 'region-1', 'message_id': derived_id('kit', str(number)),
        'timestamp': NOON + number * datetime.timedelta(minutes=1),
        'meter': 'vcpus', 'kind': MeterKind.GAUGE, 'unit': 'vcpu',
        'volume': Decimal(number), 'resource_id': f'i-{number % 3}',
        'project_id': 'p-1', 'metadata': {'flavor': {'name': 'small'}}}
    return Sample(**said | changes)


def admit(found: Sample) -> Sample:
    """As a collector would take it; InvalidSample where it would not."""
    return Admission(definitions=meter.load()).admit(found, found.timestamp)
