# SPDX-License-Identifier: Apache-2.0
"""The bus as its tests make it: with small batches."""

from __future__ import annotations

from moc_meter.messaging import amqp

QUEUE = 'moc_meter.samples'


def bus(url: str, timeout: float = 20.0, batch_messages: int = 5
        ) -> amqp.AmqpBus:
    return amqp.connect(url=url, timeout=timeout, batch_seconds=0.05,
                        batch_messages=batch_messages)


def vhost(url: str) -> str:
    return url.rpartition('/')[2]
