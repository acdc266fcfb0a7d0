# SPDX-License-Identifier: Apache-2.0
"""A connection to RabbitMQ, and what we declare there.

The exchange is direct and durable, the queue a quorum queue that says no
(x-overflow) rather than drop, and that hands what it may not deliver any more
to a queue of its own, '<queue>.dead', and only lets go of it there.
"""

from __future__ import annotations

import itertools
import re
import ssl
import urllib.parse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import amqp
from kombu.connection import Connection

from moc_meter import errors

EXCHANGE = 'moc_meter'
DEAD_EXCHANGE = 'moc_meter.dead'

#: What py-amqp raises where the broker is gone, or has said no.
LOST = (OSError, amqp.AMQPError, amqp.exceptions.MessageNacked)

# There is no word for "no limit" that all brokers share. RabbitMQ 4 knows -1;
# RabbitMQ 3 takes it as well, and drops at the second delivery. Nothing at
# all is no limit in 3, and 20 in 4.
_DELIVERIES = 2**31 - 1
_ARGUMENT = re.compile(r"arg '([^']+)' for (queue|exchange) '([^']+)'")


class Broker:
    """Where the broker is, and the names that we use there."""

    def __init__(self, urls: Sequence[str], queue: str,
                 ssl_ca_file: Path | None, timeout: float) -> None:
        """
        urls: the nodes of one cluster; each connection tries the next one.
        timeout: longest wait for one answer, in seconds.
        Raises InvalidConfiguration where a URL is no such, or where TLS
        would have nothing to verify with.
        """
        for url in urls:
            _check(urllib.parse.urlsplit(url), ssl_ca_file)
        self._urls = itertools.cycle(urls)
        self._ca_file = ssl_ca_file
        self.queue = queue
        self.timeout = timeout

    def open(self, heartbeat: float = 0) -> Any:
        """A channel of a new connection, with everything declared.

        heartbeat: in seconds, for those who call its heartbeat_tick().
        Raises BusUnavailable, and BusMismatch where a queue or exchange
        exists with other arguments.
        """
        url = next(self._urls)
        wire = None
        try:
            wire = self._parameters(url, heartbeat
                                    ).transport.establish_connection()
            # Without it most waits for an answer have no end.
            wire.sock.settimeout(self.timeout)
            channel = wire.channel()
            channel.auto_decode = False
            self._declare(channel)
        except LOST as fault:
            if wire:
                wire.collect()
            if wire and isinstance(fault, amqp.PreconditionFailed):
                raise _mismatch(fault) from fault
            raise errors.BusUnavailable(
                'no connection to the broker',
                host=urllib.parse.urlsplit(url).hostname,
                reason=str(fault)) from fault
        return channel

    def _parameters(self, url: str, heartbeat: float) -> Any:
        verified = {'ca_certs': str(self._ca_file),
                    'cert_reqs': ssl.CERT_REQUIRED,
                    'server_hostname': urllib.parse.urlsplit(url).hostname}
        return Connection(  # type: ignore[no-untyped-call]
            url, transport='pyamqp', connect_timeout=self.timeout,
            heartbeat=heartbeat, ssl=verified if self._ca_file else False,
            transport_options={'confirm_publish': True})

    def _declare(self, channel: Any) -> None:
        kept: dict[str, object] = {'x-queue-type': 'quorum',
                                   'x-delivery-limit': _DELIVERIES}
        # at-least-once is only done for queues that reject.
        buried = {'x-dead-letter-exchange': DEAD_EXCHANGE,
                  'x-dead-letter-strategy': 'at-least-once',
                  'x-overflow': 'reject-publish'}
        for exchange, queue, arguments in (
                (DEAD_EXCHANGE, f'{self.queue}.dead', kept),
                (EXCHANGE, self.queue, kept | buried)):
            channel.exchange_declare(exchange, 'direct', durable=True,
                                     auto_delete=False)
            channel.queue_declare(queue, durable=True, auto_delete=False,
                                  arguments=arguments)
            channel.queue_bind(queue, exchange, routing_key=self.queue)


def let_go(channel: Any) -> None:
    """Close the channel's connection; the broker takes back what it lent."""
    wire = channel.connection
    if wire is None:
        return
    try:
        wire.close()
    except LOST:
        wire.collect()


def _check(url: urllib.parse.SplitResult, ssl_ca_file: Path | None) -> None:
    """The messages never show the URL: there is a password in it."""
    if url.scheme not in ('amqp', 'amqps') or not url.hostname:
        raise errors.InvalidConfiguration(
            'the bus must be amqp://user:password@host:port/vhost, or amqps',
            scheme=url.scheme, host=url.hostname)
    if (url.scheme == 'amqps') != (ssl_ca_file is not None):
        raise errors.InvalidConfiguration(
            'amqps:// needs a file of certificates to trust, and amqp:// '
            'none', scheme=url.scheme, host=url.hostname,
            ssl_ca_file=ssl_ca_file and str(ssl_ca_file))
    try:
        _ = url.port
        if ssl_ca_file:
            ssl.create_default_context(cafile=str(ssl_ca_file))
    except (ValueError, OSError) as fault:
        raise errors.InvalidConfiguration(
            'the bus cannot be used', host=url.hostname,
            ssl_ca_file=ssl_ca_file and str(ssl_ca_file),
            reason=str(fault)) from None


def _mismatch(fault: amqp.PreconditionFailed) -> errors.BusMismatch:
    found = _ARGUMENT.search(fault.reply_text)
    argument, kind, name = found.groups() if found else (None, 'queue', None)
    return errors.BusMismatch(
        f'a {kind} of the broker has other arguments than ours',
        **{kind: name}, argument=argument, reason=fault.reply_text)
