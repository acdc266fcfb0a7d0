# SPDX-License-Identifier: Apache-2.0
"""The bus on RabbitMQ, by kombu: confirms, mandatory, bounded prefetch."""

from __future__ import annotations

import collections
import concurrent.futures
import contextlib
import logging
import select
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from moc_meter import errors
from moc_meter.messaging import broker as brokers
from moc_meter.messaging.base import Handle
from moc_meter.model import pause

LOG = logging.getLogger(__name__)

# Seconds; a broker that has hung for two of them is given up.
_HEARTBEAT = 20
# Seconds; how late a stop may be noticed.
_GLANCE = 0.2


class AmqpBus:
    """Both ends of one queue of a broker."""

    def __init__(self, broker: brokers.Broker, batch_messages: int,
                 batch_seconds: float) -> None:
        self._broker = broker
        self._batch_messages = batch_messages
        self._batch_seconds = batch_seconds

    def sender(self) -> AmqpSender:
        return AmqpSender(self._broker)

    def receiver(self) -> AmqpReceiver:
        return AmqpReceiver(self._broker, self._batch_messages,
                            self._batch_seconds)


def connect(*, url: str, queue: str = 'moc_meter.samples',
            ssl_ca_file: Path | None = None, timeout: float = 30.0,
            batch_messages: int = 30, batch_seconds: float = 1.0) -> AmqpBus:
    """The bus that RabbitMQ carries; nothing is connected yet.

    url: 'amqp://user:password@host:5672/vhost', or amqps:// for TLS; several,
        parted by ';', are the nodes of one cluster. The vhost is ours alone.
    ssl_ca_file: the certificates that TLS trusts; amqps:// demands it.
    timeout: longest wait for one answer of the broker, in seconds.
    batch_messages: so many messages are handled at once at most; twice as
        many wait in this process at most.
    batch_seconds: how long a message waits for others to be handled with.
    Raises InvalidConfiguration where the values cannot be used.
    """
    return AmqpBus(
        brokers.Broker(url.split(';'), queue, ssl_ca_file, timeout),
        batch_messages, batch_seconds)


class AmqpSender:
    """Sends one message at a time and waits for its confirm."""

    def __init__(self, broker: brokers.Broker) -> None:
        self._broker = broker
        self._turn = threading.Lock()
        self._channel: Any = None

    def send(self, message: bytes) -> None:
        with self._taking_turns():
            self._connect()
            try:
                self._channel.basic_publish(
                    self._channel.prepare_message(
                        message, properties={'delivery_mode': 2}),
                    brokers.EXCHANGE, self._broker.queue, mandatory=True,
                    timeout=self._broker.timeout)
            except brokers.LOST as fault:
                self._drop()
                raise errors.BusUnavailable(
                    'the broker did not take the message',
                    reason=str(fault)) from fault
            except BaseException:
                self._drop()
                raise

    def check(self) -> None:
        with self._taking_turns():
            self._connect()

    def close(self) -> None:
        with self._taking_turns():
            if self._channel:
                brokers.let_go(self._channel)
                self._channel = None

    @contextlib.contextmanager
    def _taking_turns(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=self._broker.timeout):
            raise errors.BusUnavailable('others are sending for too long')
        try:
            yield
        finally:
            self._turn.release()

    def _connect(self) -> None:
        # Between two messages the broker has nothing to say but farewell.
        if self._channel and _has_spoken(self._channel.connection):
            self._drop()
        if not self._channel:
            self._channel = self._broker.open()

    def _drop(self) -> None:
        """Never use it again.

        The confirm of one message, come too late, would be taken for that of
        the next one.
        """
        wire, self._channel = self._channel.connection, None
        if wire:
            wire.collect()


class AmqpReceiver:
    """Consumes a queue; see Receiver."""

    def __init__(self, broker: brokers.Broker, batch_messages: int,
                 batch_seconds: float) -> None:
        self._broker = broker
        self._batch_messages = batch_messages
        self._batch_seconds = batch_seconds

    def check(self) -> None:
        brokers.let_go(self._broker.open())

    def close(self) -> None:
        """There is nothing to close: run() does not leave a connection."""

    def run(self, handle: Handle, stop: threading.Event) -> None:
        pauses = pause.pauses()
        lost = False
        with _Worker(handle) as worker:
            while not stop.is_set() and not worker.fault:
                try:
                    with self._subscribed() as (channel, waiting):
                        if lost:
                            LOG.info('bus back queue=%s', self._broker.queue)
                            pauses, lost = pause.pauses(), False
                        _serve(channel, waiting, worker, stop)
                except errors.BusUnavailable as fault:
                    if not lost:
                        LOG.warning('bus lost queue=%s reason="%s"',
                                    self._broker.queue, fault)
                        lost = True
                    # What it has in hand will arrive again; yet it is not to
                    # be handled twice at the same time.
                    worker.finish()
                    if not worker.fault:
                        stop.wait(next(pauses))
            if worker.fault:
                raise worker.fault

    @contextlib.contextmanager
    def _subscribed(self) -> Iterator[tuple[Any, _Waiting]]:
        """A channel, and where its messages arrive.

        On leaving, the broker gets back what is not acknowledged.
        """
        channel = self._broker.open(_HEARTBEAT)
        wire = channel.connection
        waiting = _Waiting(self._batch_messages, self._batch_seconds)
        try:
            channel.basic_qos(0, 2 * self._batch_messages, a_global=False)
            channel.basic_consume(self._broker.queue, callback=waiting.append)
            yield channel, waiting
        except brokers.LOST as fault:
            wire.collect()
            raise errors.BusUnavailable('the broker is lost',
                                        reason=str(fault)) from fault
        finally:
            brokers.let_go(channel)


def _serve(channel: Any, waiting: _Waiting, worker: _Worker,
           stop: threading.Event) -> None:
    """Have handled what arrives, until stop is set or handle has raised."""
    wire, last = channel.connection, 0
    with _Ears(wire, worker.bell) as ears:
        while worker.busy or not stop.is_set():
            if not worker.busy and (batch := waiting.batch()):
                last = batch[-1].delivery_tag
                worker.begin([message.body for message in batch])
            ears.listen(_GLANCE if worker.busy else waiting.patience())
            if worker.done():
                if worker.fault:
                    return
                channel.basic_ack(last, multiple=True)
            wire.heartbeat_tick()


class _Waiting:
    """Messages that arrived and are not handled yet."""

    def __init__(self, batch_messages: int, batch_seconds: float) -> None:
        self._size = batch_messages
        self._seconds = batch_seconds
        self._messages: collections.deque[tuple[float, Any]] = (
            collections.deque())

    def append(self, message: Any) -> None:
        self._messages.append((time.monotonic(), message))

    def patience(self) -> float:
        """How long to wait, in seconds, before asking for a batch."""
        if len(self._messages) >= self._size:
            return 0
        if not self._messages:
            return _GLANCE
        oldest = self._messages[0][0]
        return min(max(oldest + self._seconds - time.monotonic(), 0), _GLANCE)

    def batch(self) -> list[Any]:
        """The oldest; none where they may still wait for others."""
        if self.patience():
            return []
        count = min(len(self._messages), self._size)
        return [self._messages.popleft()[1] for _ in range(count)]


class _Ears:
    """Waits for whichever comes first: a frame, the bell, the time's end."""

    def __init__(self, wire: Any, bell: socket.socket) -> None:
        self._wire = wire
        self._bell = bell
        self._selector = selectors.DefaultSelector()
        self._selector.register(wire.sock, selectors.EVENT_READ)
        self._selector.register(bell, selectors.EVENT_READ)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()

    def listen(self, seconds: float) -> None:
        """Take in one frame at most."""
        # TLS may hold one back of which the socket knows no more.
        sock = self._wire.sock
        held = isinstance(sock, ssl.SSLSocket) and sock.pending()
        ready = {key.fileobj
                 for key, _ in self._selector.select(0 if held else seconds)}
        if self._bell in ready:
            self._bell.recv(64)
        if held or sock in ready:
            # The rest of a frame that does not end in time is read later.
            with contextlib.suppress(TimeoutError):
                self._wire.blocking_read(_GLANCE)


class _Worker:
    """Calls handle in a thread of its own, so that the connection lives on.

    bell: can be read from when a call has ended.
    fault: what a call has raised.
    """

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._thread = concurrent.futures.ThreadPoolExecutor(1, 'bus')
        self._call: concurrent.futures.Future[None] | None = None
        self.bell, self._rope = socket.socketpair()
        self.fault: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()
        self.bell.close()
        self._rope.close()

    @property
    def busy(self) -> bool:
        return self._call is not None

    def begin(self, messages: Sequence[bytes]) -> None:
        self._call = self._thread.submit(self._handle, messages)
        self._call.add_done_callback(lambda _: self._rope.send(b'!'))

    def done(self) -> bool:
        """Whether a call has ended since the last time."""
        if not self._call or not self._call.done():
            return False
        self.finish()
        return True

    def finish(self) -> None:
        """Wait for the call, if there is one."""
        if self._call:
            self.fault = self._call.exception()
            self._call = None


def _has_spoken(wire: Any) -> bool:
    """Whether there is something to read of the connection."""
    poll = select.poll()
    poll.register(wire.sock, select.POLLIN)
    return bool(poll.poll(0))
