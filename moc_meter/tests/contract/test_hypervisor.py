# SPDX-License-Identifier: Apache-2.0
"""What every hypervisor promises to the pollers, asked of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from moc_meter.testing.hypervisor import HypervisorSuite, Known, Subject
from moc_meter.tests.contract.hypervisors import (
    BuiltInSubject,
    FakeSubject,
    QemuSubject,
)


class TestHypervisors(HypervisorSuite):
    """A fake one, libvirt's built-in one, and QEMU."""

    @pytest.fixture(scope='class', params=['fake', 'test driver', 'qemu'])
    @classmethod
    def subject(cls, request: pytest.FixtureRequest) -> Iterator[Subject]:
        if request.param == 'fake':
            yield FakeSubject()
        elif request.param == 'qemu':
            yield QemuSubject(request.getfixturevalue('libvirtd_server'))
        else:
            with closing(BuiltInSubject()) as built_in:
                yield built_in

    @pytest.fixture(scope='class')
    @classmethod
    def running(cls, subject: Subject) -> Iterator[Known]:
        guest = subject.new()
        yield guest
        subject.remove(guest)
