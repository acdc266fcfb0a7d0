# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from moc_meter import errors
from moc_meter.agent.polling.hypervisor import domain


def test_a_document_type_is_refused() -> None:
    with pytest.raises(errors.InvalidMessage, match='document type'):
        domain.parsed('<!DOCTYPE d [<!ENTITY a "b">]><domain>&a;</domain>')


@pytest.mark.parametrize(('figures', 'usage'), [
    ({'available': 100, 'usable': 60, 'unused': 50}, 40),
    ({'available': 100, 'unused': 50}, 50),
    ({'available': 100}, None),
    ({'actual': 100, 'rss': 10}, None)])
def test_memory_usage_is_what_the_guest_could_not_give(
        figures: dict[str, int], usage: int | None) -> None:
    assert domain.memory(figures).usage == usage


@pytest.mark.parametrize('figures', [
    {'current': 65536, 'maximum': 131072}, {'actual': 65536}])
def test_memory_is_what_the_balloon_leaves(figures: dict[str, int]) -> None:
    assert domain.memory(figures).assigned == 65536


def test_numbered_figures_are_found_by_name_whatever_the_number() -> None:
    figures = {'block.count': 2, 'block.0.name': 'vda', 'block.0.rd.reqs': 1,
               'block.10.name': 'vdk', 'block.10.rd.reqs': 2,
               'net.0.name': 'tap', 'block.1.rd.reqs': 9}
    assert {name: device['rd.reqs'] for name, device
            in domain.numbered(figures, 'block').items()} == {
        'vda': 1, 'vdk': 2}


def test_traffic_is_the_guests() -> None:
    [(tap, described)] = domain.taps(domain.parsed(
        '<domain><devices><interface><target dev="tap"/></interface>'
        '<interface type="user"/></devices></domain>')).items()
    interface = domain.interface(tap, described, {
        'rx.bytes': 1, 'rx.pkts': 2, 'rx.errs': 3, 'rx.drop': 4,
        'tx.bytes': 5})
    assert (interface.incoming.bytes, interface.incoming.packets,
            interface.incoming.errors, interface.incoming.drops,
            interface.outgoing.bytes, interface.outgoing.packets) == (
        1, 2, 3, 4, 5, None)


def test_what_a_driver_cannot_say_is_not_minus_one() -> None:
    assert domain.said(('rx.bytes', 'rx.drop'), (7, -1)) == {'rx.bytes': 7}
