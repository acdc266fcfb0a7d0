# SPDX-License-Identifier: Apache-2.0
"""Hearing the notifications of the cloud's services on their own bus."""

from __future__ import annotations

import dataclasses
import itertools
import logging
import threading
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

import oslo_messaging
from oslo_config import cfg
from oslo_messaging import opts
from oslo_messaging._drivers import amqp as oslo_amqp
from oslo_messaging.notify import listener

from moc_meter import errors
from moc_meter.agent.notification import message
from moc_meter.agent.notification.cloud import CloudBus
from moc_meter.agent.notification.host import PluginHost
from moc_meter.model.pause import pauses
from moc_meter.publisher.base import Batch, Publisher, halves

LOG = logging.getLogger(__name__)

#: Notifications that are made durable together: one write to the disk.
_BATCH = 100
_BATCH_SECONDS = 0.2
_PREFETCH = 3 * _BATCH
#: Longest that leaving waits for a bus that does not answer; what was not
#: acknowledged by then arrives again.
_LEAVE_SECONDS = 10.0


class Incoming(Protocol):
    """A message as oslo.messaging's listener hands it over."""

    @property
    def message(self) -> Mapping[str, Any]:
        """The flat form, without the context."""

    @property
    def ctxt(self) -> Mapping[str, Any]:
        """The request's context."""


class NotificationService:
    """Makes samples of what is heard, and acknowledges what is durable."""

    def __init__(self, bus: CloudBus, *, source: str, host: PluginHost,
                 publisher: Publisher) -> None:
        """source: name of the deployment whose bus this is."""
        self._bus = dataclasses.replace(
            bus, topics=(*dict.fromkeys((*bus.topics, *host.topics)),))
        self._source = source
        self._host = host
        self._publisher = publisher
        self._leaving = threading.Event()
        self._fault: Exception | None = None

    def check(self) -> None:
        """Declare what is listened to, for the start of a process.

        Raises BusMismatch where a queue or exchange exists with other
        arguments, BusUnavailable where the bus does not answer.
        """
        self._bus.declare(message.PRIORITIES)

    def run(self, stop: threading.Event) -> None:
        """Listen until stop is set; finish then what is in hand.

        Raises BusMismatch as check() does, and what the publisher raises
        besides SpoolFull; the message in hand is given back then.
        """
        if not self._await_bus(stop):
            return
        self._leaving.clear()
        self._fault = None
        transport = _transport(self._bus)
        server = listener.BatchNotificationServer(
            transport, self._targets(), self, batch_size=_BATCH,
            batch_timeout=_BATCH_SECONDS)
        # One worker: in the order in which they were sent.
        server.start(override_pool_size=1)
        LOG.info('listening exchanges=%s topics=%s',
                 ','.join(self._bus.exchanges), ','.join(self._bus.topics))
        while not stop.wait(0.2) and self._fault is None:
            pass
        self._leaving.set()
        _leave(server, transport)
        if self._fault is not None:
            raise self._fault

    #: Which queues of a topic are listened to; oslo.messaging asks.
    supported_priorities = message.PRIORITIES

    def dispatch(self, incoming: Sequence[Incoming]) -> Collection[Incoming]:
        """Take what the listener hands over; return what is given back.

        The rest is acknowledged: it is durable, or gives nothing.
        """
        try:
            return () if self._take(incoming) else incoming
        except Exception as fault:
            # Ours, and for run() to raise. Given back at once, the messages
            # would be here again at once.
            self._fault = fault
            self._leaving.wait(_LEAVE_SECONDS)
            return incoming

    def _take(self, incoming: Sequence[Incoming]) -> bool:
        """Whether what comes of the messages is durable.

        Waits while the spool is full; False where we leave meanwhile. What
        is too large for the spool goes there in parts.
        """
        outcomes = self._host.take_all(self._source, map(_flat, incoming))
        waiting: list[Batch] = [
            ([found for outcome in outcomes for found in outcome.samples],
             [found for outcome in outcomes for found in outcome.refused])]
        while waiting:
            batch = waiting.pop()
            try:
                if any(batch) and not self._publish(batch):
                    return False
            except errors.BatchTooLarge:
                if sum(map(len, batch)) == 1:
                    raise
                waiting += reversed(halves(*batch))
        return True

    def _publish(self, batch: Batch) -> bool:
        full = False
        for pause in pauses():
            try:
                self._publisher.publish(*batch)
            except errors.SpoolFull as fault:
                if not full:
                    LOG.warning('notifications held reason=%s', fault)
                full = True
                if self._leaving.wait(pause):
                    return False
            else:
                break
        if full:
            LOG.info('notifications no longer held')
        return True

    def _targets(self) -> list[oslo_messaging.Target]:
        return [oslo_messaging.Target(exchange=exchange, topic=topic)
                for exchange, topic in itertools.product(
                    self._bus.exchanges, self._bus.topics)]

    def _await_bus(self, stop: threading.Event) -> bool:
        """Whether the bus answers; False where stop is set before it does."""
        away = False
        for pause in pauses():
            try:
                self.check()
            except errors.BusUnavailable as fault:
                if not away:
                    LOG.warning('bus of the cloud lost reason=%s', fault)
                away = True
                if stop.wait(pause):
                    return False
            else:
                break
        return True


def _flat(incoming: Incoming) -> dict[str, Any]:
    """The message with its context where it was when it travelled."""
    return {**incoming.message,
            **{f'_context_{key}': incoming.ctxt.get(key)
               for key in message.CONTEXT}}


def _transport(bus: CloudBus) -> Any:
    """The transport, with options of its own that no other part can set."""
    # A notification that comes twice makes the same samples. What
    # oslo.messaging takes for a duplicate it would never acknowledge: each
    # one takes a place of the prefetch away, until nothing is heard at all.
    oslo_amqp._MsgIdCache.DUP_MSG_CHECK_SIZE = 0
    conf = cfg.ConfigOpts()
    for group, options in opts.list_opts():
        conf.register_opts(options, group=group)
    conf([], project='moc_meter', default_config_files=[],
         default_config_dirs=[])
    for name, value in {
            'amqp_durable_queues': bus.durable,
            'rabbit_quorum_queue': bus.quorum,
            'rabbit_quorum_delivery_limit': bus.delivery_limit,
            'rabbit_qos_prefetch_count': _PREFETCH,
            'ssl': bus.ca_file is not None,
            'ssl_ca_file': bus.ca_file or ''}.items():
        conf.set_override(name, value, group='oslo_messaging_rabbit')
    return oslo_messaging.get_notification_transport(conf, url=bus.url)


def _leave(server: Any, transport: Any) -> None:
    """Finish what is in hand; a bus that is away keeps nobody."""
    def leave() -> None:
        server.stop()
        server.wait()
        transport.cleanup()

    leaving = threading.Thread(target=leave, daemon=True,
                               name='notification-leave')
    leaving.start()
    leaving.join(_LEAVE_SECONDS)
    if leaving.is_alive():
        LOG.warning('bus of the cloud did not let go seconds=%s',
                    _LEAVE_SECONDS)
