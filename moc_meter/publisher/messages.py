# SPDX-License-Identifier: Apache-2.0
"""A batch as messages that a bus will take."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from moc_meter import errors
from moc_meter.messaging import codec
from moc_meter.model.sample import Refused, Sample

if TYPE_CHECKING:
    # Its library is large, and of use to those who sign only.
    from moc_meter import signing

#: Samples and refused things in a message.
BATCH = 100
#: Well below what brokers refuse: RabbitMQ 4 takes 16 MiB.
MAX_MESSAGE = 8 * 1024 * 1024
#: What is kept of the content of something that alone is larger.
_MAX_CONTENT = MAX_MESSAGE // 4


def encoded(samples: Sequence[Sample], refused: Sequence[Refused],
            signer: signing.Signer | None) -> list[bytes]:
    """The batch in messages of bounded size, in its order.

    What is too large for a message even alone travels as Refused, cut to its
    beginning: the bus would never take it, and it would hold up all others.
    """
    items: list[Sample | Refused] = [*samples, *refused]
    return [message for start in range(0, len(items), BATCH)
            for message in _fitting(items[start:start + BATCH], signer)]


def _fitting(items: Sequence[Sample | Refused],
             signer: signing.Signer | None) -> list[bytes]:
    message = _encode(items, signer)
    if len(message) <= MAX_MESSAGE:
        return [message]
    if len(items) > 1:
        half = len(items) // 2
        return _fitting(items[:half], signer) + _fitting(items[half:], signer)
    return [_encode([_beginning(items[0], message)], signer)]


def _encode(items: Sequence[Sample | Refused],
            signer: signing.Signer | None) -> bytes:
    return codec.encode(
        [item for item in items if isinstance(item, Sample)],
        [item for item in items if isinstance(item, Refused)], signer)


def _beginning(item: Sample | Refused, message: bytes) -> Refused:
    """What stands for an item whose message is too large."""
    if isinstance(item, Refused):
        return dataclasses.replace(item, content=item.content[:_MAX_CONTENT])
    return Refused(
        content=message[:_MAX_CONTENT], code=errors.InvalidSample.code,
        reason='larger than a message may be, only its beginning is kept: '
               f'bytes={len(message)}, limit={MAX_MESSAGE}',
        origin='publisher')
