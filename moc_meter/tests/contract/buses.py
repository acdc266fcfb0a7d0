# SPDX-License-Identifier: Apache-2.0
"""What the tests of a bus are made of, beside the kit."""

from __future__ import annotations

from moc_meter.messaging import amqp
from moc_meter.testing.bus import (
    PATIENCE,
    BrokenError,
    Far,
    deliver,
    delivering,
    numbered,
)
from moc_meter.tests.servers.base import until
from moc_meter.tests.servers.rabbitmq import RabbitMQ

__all__ = ['PATIENCE', 'BrokenError', 'Far', 'deliver', 'delivering',
           'numbered', 'settle']


def settle(server: RabbitMQ, url: str) -> None:
    """Declare the queues of a vhost, and wait until a power cut spares them.

    For the first second of its life RabbitMQ knows a quorum queue only in
    memory: killed in it, it has the queue again and never serves it.
    """
    amqp.connect(url=url).receiver().check()
    [register] = server.folder.glob('mnesia/*/quorum/*/names.dets')
    queue = f'{url.rpartition("/")[2]}_moc_meter.samples'.encode()
    until(lambda: register.read_bytes().count(queue) == 2, PATIENCE,
          'the queues to be on disk')
