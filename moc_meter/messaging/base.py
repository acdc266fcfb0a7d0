# SPDX-License-Identifier: Apache-2.0
"""What a bus promises (namespace moc_meter.bus).

A bus carries messages of bytes; what is in them is codec.py's business.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Protocol

#: Takes messages that arrived, oldest first; on return they are durable. It
#: is called by one thread at a time, not always the one that calls run().
Handle = Callable[[Sequence[bytes]], None]


class Sender(Protocol):
    """The near end: what was sent is on the bus, or the sender knows."""

    def send(self, message: bytes) -> None:
        """Return when the bus has the message for good.

        On AMQP: confirmed by the broker, and routed to a queue. On the local
        bus: handled at the other end.
        Raises BusUnavailable where that is not known; the message may then
        arrive all the same, so the caller sends it again. Raises BusMismatch
        as check() does. May be called by several threads.
        """

    def check(self) -> None:
        """Connect, and declare what we need; for the start of a process.

        Raises BusMismatch where a queue exists with other arguments,
        BusUnavailable where the bus does not answer.
        """

    def close(self) -> None:
        """Let go of the connection."""


class Receiver(Protocol):
    """The far end."""

    def run(self, handle: Handle, stop: threading.Event) -> None:
        """Hand on what arrives, until stop is set.

        Messages are handed over a few at a time and acknowledged after
        handle has returned; at most a bounded number waits here. A lost
        connection is made again with growing pauses; what was not
        acknowledged then arrives again. Where handle raises, the bus gets
        back everything that was not acknowledged, and the exception flies
        on: nothing is consumed until run() is called again. On stop the
        messages in hand are finished.
        Raises BusMismatch where a queue exists with other arguments.
        """

    def check(self) -> None:
        """As Sender.check."""

    def close(self) -> None:
        """Let go of the connection."""


class Bus(Protocol):
    """Both ends, as the bus's connect(**values) gives them."""

    def sender(self) -> Sender:
        """A near end of its own; nothing is connected yet."""

    def receiver(self) -> Receiver:
        """A far end of its own; nothing is connected yet."""
