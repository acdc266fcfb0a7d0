# SPDX-License-Identifier: Apache-2.0
"""What every bus promises, asked of ours; see messaging/base.py."""

from __future__ import annotations

import pytest

from moc_meter import errors, plugins
from moc_meter.messaging.base import Bus
from moc_meter.testing.bus import BATCH, BusSuite, Far


class TestBuses(BusSuite):
    """RabbitMQ, and the one within a process."""

    @pytest.fixture(params=['amqp', 'local'])
    def bus(self, request: pytest.FixtureRequest) -> Bus:
        kind = request.param
        values: dict[str, object] = {'batch_messages': BATCH,
                                     'timeout': 20.0}
        if kind == 'amqp':
            values |= {'url': request.getfixturevalue('amqp_url'),
                       'batch_seconds': 0.05}
        made: Bus = plugins.load('moc_meter.bus', [kind])[kind](**values)
        return made


# What differs where nobody is there

def test_a_broker_keeps_what_nobody_takes(amqp_url: str) -> None:
    [connect] = plugins.load('moc_meter.bus', ['amqp']).values()
    bus: Bus = connect(url=amqp_url)
    sender = bus.sender()
    sender.send(b'early')
    sender.close()
    with Far(bus.receiver()) as far:
        far.has([b'early'])


def test_without_a_broker_what_nobody_takes_is_given_back() -> None:
    [connect] = plugins.load('moc_meter.bus', ['local']).values()
    bus: Bus = connect(timeout=0.1)
    with pytest.raises(errors.BusUnavailable, match='nobody'):
        bus.sender().send(b'early')
    with Far(bus.receiver()) as far:
        bus.sender().send(b'again')
    assert far.messages == [b'again']
