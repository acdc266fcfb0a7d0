# SPDX-License-Identifier: Apache-2.0
"""What a plugin lacks is told before it is used."""

from __future__ import annotations

import dataclasses
import inspect
import threading
import types
from pathlib import Path
from typing import Any

import pytest

import moc_meter.tests
from moc_meter import contracts, plugins
from moc_meter.agent.notification import base as notification
from moc_meter.agent.notification import probe
from moc_meter.agent.polling import base as polling
from moc_meter.agent.polling.hypervisor import base as hypervisor
from moc_meter.collector.dispatcher.base import Dispatcher
from moc_meter.messaging.base import Bus
from moc_meter.tests.unit.agent import rubbish
from moc_meter.tests.unit.agent.polling.makers import NOON, sample

BROKEN = Path(moc_meter.tests.__file__).parent / 'data' / 'broken_plugins'
PROTOCOLS: dict[str, Any] = {
    'moc_meter.notification': notification.NotificationPlugin,
    'moc_meter.poll.compute': polling.ComputePoller,
    'moc_meter.poll.hardware': polling.HardwarePoller,
    'moc_meter.hypervisor': hypervisor.Hypervisor,
    'moc_meter.bus': Bus,
    'moc_meter.dispatcher': Dispatcher,
}
OURS = [(namespace, name) for namespace in contracts.SEAMS
        for name in plugins.load(namespace)]


def broken(name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(BROKEN / name)
    return __import__(name).Meters


@pytest.mark.parametrize('namespace', contracts.SEAMS)
def test_a_seam_asks_what_its_protocol_has(namespace: str) -> None:
    protocol = PROTOCOLS[namespace]
    has = {name: tuple(inspect.signature(method).parameters)[1:]
           for name, method in inspect.getmembers(protocol,
                                                  inspect.isfunction)
           if not name.startswith('_')}
    assert has == contracts.SEAMS[namespace].methods


def test_every_seam_has_a_protocol() -> None:
    assert PROTOCOLS.keys() == contracts.SEAMS.keys()


@pytest.mark.parametrize(('namespace', 'name'), OURS)
def test_ours_keep_their_contract(namespace: str, name: str) -> None:
    plugin = plugins.load(namespace, [name])[name]
    assert contracts.complaints(namespace, plugin) == []
    if namespace == 'moc_meter.notification':
        assert probe.complaints(plugin()) == []


@pytest.mark.parametrize(('name', 'namespace', 'complaint'), [
    ('wrong_attributes', 'moc_meter.notification',
     "its event_types must be a tuple of texts: 'mail.*'"),
    ('wrong_signature', 'moc_meter.poll.compute',
     ('its samples must be callable with (tick, instances): too many '
      'positional arguments')),
])
def test_what_is_wrong_is_named(
        name: str, namespace: str, complaint: str,
        monkeypatch: pytest.MonkeyPatch) -> None:
    assert contracts.complaints(namespace, broken(name, monkeypatch)) == [
        complaint]


def test_rubbish_is_found_by_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = broken('yields_rubbish', monkeypatch)
    assert contracts.complaints('moc_meter.notification', plugin) == []
    [complaint] = probe.complaints(plugin())
    assert complaint.startswith('it fails at an empty mail.probe: ')
    assert 'no sample' in complaint


def test_a_fault_that_hangs_when_it_is_told_does_not_hold_up_the_check(
        ) -> None:
    let_go = threading.Event()

    class Silent:
        event_types = ('mail.sent',)

        def samples(self, _: notification.Notification) -> list[Any]:
            raise rubbish.SilentFault(let_go)

    assert probe.complaints(Silent(), patience=0.1) == [
        "it fails at an empty mail.sent: TimeoutError('a call hangs: probe')"]
    let_go.set()


def test_of_what_is_given_nothing_stays_the_plugins_own() -> None:
    class Text(str):
        __slots__ = ()

    inner: list[object] = [Text('x'), 1, 0.5, None, True]
    given = dataclasses.replace(
        sample('r-1'), meter=Text('m'), interval=(NOON, NOON), sequence=3,
        metadata=types.MappingProxyType({Text('a'): inner}))
    [found] = contracts.samples(lambda: [given])
    assert found == dataclasses.replace(given, metadata={'a': [*inner]})
    inner.clear()
    metadata: Any = found.metadata
    assert [type(found.meter), type(metadata['a'][0]), type(metadata)] == [
        str, str, dict]


@pytest.mark.parametrize('thing', [None, 7, object, lambda: None])
def test_what_is_nothing_of_the_kind_is_told(thing: object) -> None:
    assert contracts.complaints('moc_meter.poll.compute', thing)


def test_a_function_may_make_a_plugin() -> None:
    assert contracts.complaints('moc_meter.poll.compute',
                                lambda hypervisor: hypervisor) == []


def test_what_is_made_is_looked_at_too() -> None:
    class Late:
        def __init__(self) -> None:
            self.event_types = ['mail.*']

        def samples(self, _: notification.Notification) -> list[Any]:
            return []

    assert contracts.complaints('moc_meter.notification', Late) == []
    assert contracts.complaints('moc_meter.notification', Late()) == [
        "its event_types must be a tuple of texts: ['mail.*']"]
