# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest

from moc_meter import plugins
from moc_meter.api.v1 import components
from moc_meter.api.v1.components import OTHER, Components
from moc_meter.model import meter
from moc_meter.plugins import Installed


def entry(namespace: str, name: str) -> Installed:
    return Installed(namespace=namespace, name=name, package='x', version='1',
                     target='x:X')


def test_entry_points_carry_components() -> None:
    assert components.carried([
        entry('moc_meter.notification', 'mail.sent'),
        entry('moc_meter.notification', 'mail.received'),
        entry('moc_meter.poll.hardware', 'cpu.util'),
        entry('moc_meter.bus', 'amqp')]) == {'mail', 'hardware'}


@pytest.mark.parametrize(('name', 'component'), [
    ('vcpus', 'compute'), ('instance:m1.small', 'compute'), ('cpu', 'compute'),
    ('volume.size', 'volume'), ('image.download', 'image'),
    ('bandwidth', 'network'), ('storage.api.request', 'storage'),
    ('http.request', 'api'), ('hardware.cpu.util', 'host'),
    ('hardware.ipmi.fan', 'baremetal'), ('cluster.create', 'data-processing'),
    ('energy', OTHER), ('alarm.evaluation_result', OTHER),
    ('unheard.of', OTHER)])
def test_our_meters_belong_to_our_plugins(name: str, component: str) -> None:
    ours = Components(meter.load(), components.carried(plugins.installed()))
    assert ours.of(name) == component


def test_without_its_plugin_a_meter_belongs_to_other() -> None:
    assert Components(meter.load(), ('image',)).of('vcpus') == OTHER
