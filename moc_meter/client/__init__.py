# SPDX-License-Identifier: Apache-2.0
"""Asking a moc_meter service, and telling it what was used.

    with connect('http://127.0.0.1:8777') as client:
        for row in client.statistics('cpu', 'project=p1', period=3600):
            print(row.period_start, row.sum, row.unit)
"""

from __future__ import annotations

from moc_meter.client.client import Client, Scope
from moc_meter.client.faults import (
    BadRequest,
    BrokenOff,
    ClientFault,
    Conflict,
    Forbidden,
    NoService,
    NotAnApi,
    NotFound,
    Overloaded,
    ServerFault,
    Unauthorized,
    Unreachable,
    Untrusted,
)
from moc_meter.client.filters import Filter, parse
from moc_meter.client.frame import frame
from moc_meter.client.models import (
    Capabilities,
    Duration,
    Event,
    Link,
    Meter,
    MeterName,
    Outcome,
    Resource,
    ResourceState,
    Sample,
    Statistics,
    Trait,
    TraitDescription,
    Version,
    Volume,
)
from moc_meter.client.opening import connect
from moc_meter.client.reporter import Reporter
from moc_meter.client.said import measured

__all__ = [
    'BadRequest', 'BrokenOff', 'Capabilities', 'Client', 'ClientFault',
    'Conflict', 'Duration', 'Event', 'Filter', 'Forbidden', 'Link', 'Meter',
    'MeterName', 'NoService', 'NotAnApi', 'NotFound', 'Outcome', 'Overloaded',
    'Reporter', 'Resource', 'ResourceState', 'Sample', 'Scope', 'ServerFault',
    'Statistics', 'Trait', 'TraitDescription', 'Unauthorized', 'Unreachable',
    'Untrusted', 'Version', 'Volume', 'connect', 'frame', 'measured', 'parse']
