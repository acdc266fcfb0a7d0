# SPDX-License-Identifier: Apache-2.0
"""What every poller promises, asked of ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from moc_meter import plugins
from moc_meter.agent.polling.base import Instance
from moc_meter.agent.polling.discovery import NovaInstances
from moc_meter.agent.polling.hypervisor import base
from moc_meter.testing.hypervisor import Figures, disk
from moc_meter.testing.polling import ComputePollerSuite, HardwarePollerSuite
from moc_meter.tests.contract.hypervisors import FakeSubject

TRAFFIC = base.Traffic(bytes=1, packets=1, errors=0, drops=0)
FIGURES = Figures(
    memory=base.Memory(resident=65536, usage=1024),
    disks=[disk('vda'), disk('vdb')],
    interfaces=[base.Interface(
        name='tap-1', mac=None, filter=None, port=None, bridge=None,
        incoming=TRAFFIC, outgoing=TRAFFIC)])


class TestComputePollers(ComputePollerSuite):
    """Those of counters and levels; rates need two readings."""

    @pytest.fixture
    def subject(self) -> FakeSubject:
        subject = FakeSubject()
        name = subject.new().name
        guest, _ = subject.fake.there[name]
        subject.fake.there[name] = guest, FIGURES
        return subject

    @pytest.fixture
    def asked(self, subject: FakeSubject) -> Sequence[Instance]:
        return NovaInstances(subject.hypervisor, 'compute-1').instances()

    @pytest.fixture(params=['cpu', 'memory', 'disk', 'interface'])
    def poller(self, request: pytest.FixtureRequest, subject: FakeSubject
               ) -> Any:
        subject.hypervisor.guests()
        name = request.param
        return plugins.load('moc_meter.poll.compute', [name])[name](
            subject.hypervisor)


class TestHardwarePollers(HardwarePollerSuite):
    """All of them, on the machine that the tests run on."""

    @pytest.fixture(params=['memory', 'disk', 'network'])
    def poller(self, request: pytest.FixtureRequest) -> Any:
        name = request.param
        return plugins.load('moc_meter.poll.hardware', [name])[name]()
