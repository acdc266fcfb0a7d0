# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from moc_meter.agent.polling.hypervisor.base import Memory
from moc_meter.agent.polling.memory import MemoryMeters
from moc_meter.model.sample import Sample
from moc_meter.tests.unit.agent.polling.makers import INSTANCE, TICK


class Says:
    def __init__(self, memory: Memory | None) -> None:
        self._memory = memory

    def memory(self, name: str) -> Memory | None:
        assert name == INSTANCE.name
        return self._memory


def samples(memory: Memory | None) -> list[Sample]:
    return list(MemoryMeters(Says(memory)).samples(TICK, [INSTANCE]))


@given(st.integers(0, 2 ** 40))
def test_kib_are_mib_to_the_last_digit_that_is_kept(kib: int) -> None:
    [sample] = samples(Memory(resident=kib, usage=None))
    off = abs(Fraction(sample.volume) - Fraction(kib, 1024))
    assert off <= Fraction(1, 2 * 10 ** 9)
    assert sample.rounded == bool(off)


def test_usage_and_resident_are_two_meters() -> None:
    assert [(sample.meter, sample.volume, sample.unit) for sample in
            samples(Memory(resident=2048, usage=512))] == [
        ('memory.usage', Decimal('0.5'), 'MiB'),
        ('memory.resident', Decimal(2), 'MiB')]


def test_what_is_not_known_is_not_zero() -> None:
    assert samples(Memory(resident=None, usage=None)) == []


def test_zero_is_a_figure() -> None:
    assert [sample.volume
            for sample in samples(Memory(resident=0, usage=0))] == [0, 0]


def test_a_guest_that_is_off_has_no_samples() -> None:
    assert samples(None) == []
