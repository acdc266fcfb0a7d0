# SPDX-License-Identifier: Apache-2.0
"""Samples from the notifications of the bare metal service (Ironic).

Of the payload this module reads:

``node_uuid``       the machine
``timestamp``       when its sensors were read
``project_id``      the project that it is for, where said
``user_id``         the user that it is for, where said
``payload``         by kind of sensor, then by sensor: its fields

and of the fields of a sensor:

``Sensor ID``         which it is: 'Fan 4A Tach (0x46)'
``Sensor Reading``    '26 (+/- 0.500) degrees C': number first, unit last
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from moc_meter.agent.notification import message
from moc_meter.agent.notification.base import Notification
from moc_meter.model.sample import MeterKind, Sample

_KINDS = ('Temperature', 'Current', 'Fan', 'Voltage')
_UNITS = {'Watts': 'W', 'Volts': 'V'}


class SensorMeters:
    """What the sensors of a machine read, by its IPMI."""

    event_types = ('hardware.ipmi.*',)

    def samples(self, notification: Notification) -> Iterator[Sample]:
        machine = notification.payload
        timestamp = message.instant(machine.get('timestamp'))
        node = message.text(machine.get('node_uuid'))
        if timestamp is None or not node:
            return
        read = dataclasses.replace(notification, timestamp=timestamp)
        sensors = message.part(machine, 'payload')
        for kind in _KINDS:
            match sensors.get(kind):
                case Mapping() as found:
                    for place, sensor in found.items():
                        yield from _sensor(read, node, kind, place, sensor)


def _sensor(notification: Notification, node: str, kind: str, place: str,
            sensor: Any) -> Iterator[Sample]:
    """The sample of one sensor; none where it is off or not understood."""
    match sensor:
        case {'Sensor ID': str(name), 'Sensor Reading': str(reading)} if name:
            figure, unit = _parsed(reading)
        case _:
            return
    # The power that a machine takes is among the currents of some.
    if kind == 'Current' and 'Pwr Consumption' in name:
        return
    machine = notification.payload
    subject = message.Subject.of(
        notification, f'{node}-{name.lower().replace(" ", "_")}',
        project_id=machine.get('project_id'), user_id=machine.get('user_id'),
        metadata={**message.described(notification, sensor, sensor),
                  'node': node})
    if subject is not None:
        yield from subject.sample(f'hardware.ipmi.{kind.lower()}', unit,
                                  figure, MeterKind.GAUGE, place)


def _parsed(reading: str) -> tuple[Decimal | None, str]:
    """Figure and unit; 'Disabled' and the like have no figure."""
    words = reading.split()
    if len(words) < 2:
        return None, ''
    return message.number(words[0]), _UNITS.get(words[-1], words[-1])
