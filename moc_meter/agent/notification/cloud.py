# SPDX-License-Identifier: Apache-2.0
"""The bus of the cloud: what must be as its services have it."""

from __future__ import annotations

import itertools
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from urllib import parse

import oslo_messaging
from amqp import exceptions
from kombu.connection import Connection
from kombu.entity import Exchange, Queue
from oslo_config import cfg

from moc_meter import errors

_CONNECT_SECONDS = 10
_RABBIT = ('rabbit', 'kombu')


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudBus:
    """Where the services put their notifications, and how they declare it.

    A queue has one set of arguments, so durable, quorum and delivery_limit
    must be what the services have in ``[oslo_messaging_rabbit]``.
    """

    url: str                        # 'rabbit://user:password@host:5672/'
    exchanges: Sequence[str] = (
        'nova', 'cinder', 'glance', 'neutron', 'keystone', 'swift', 'heat',
        'ironic', 'designate', 'trove', 'sahara', 'manila')
    topics: Sequence[str] = ('notifications',)
    durable: bool = False           # amqp_durable_queues
    quorum: bool = False            # rabbit_quorum_queue
    delivery_limit: int = 0         # rabbit_quorum_delivery_limit
    ca_file: str | None = None      # None: the connection is not encrypted

    def declare(self, priorities: Sequence[str]) -> None:
        """Declare exchanges and queues exactly as oslo.messaging does.

        It would do it by itself, but where arguments differ it tries for
        ever, or takes a queue that does not outlive the broker.
        Raises BusMismatch where something exists with other arguments,
        BusUnavailable where the bus does not answer.
        """
        with Connection(  # type: ignore[no-untyped-call]
                self._kombu_url(), connect_timeout=_CONNECT_SECONDS,
                login_method='AMQPLAIN', ssl=self._ssl()) as wire:
            try:
                wire.connect()
                for queue in self._queues(priorities):
                    queue(wire.default_channel
                          ).declare()  # type: ignore[no-untyped-call]
            except exceptions.PreconditionFailed as fault:
                raise errors.BusMismatch(
                    "a queue of the cloud's bus is not declared as ours "
                    'would be', durable=self.durable, quorum=self.quorum,
                    delivery_limit=self.delivery_limit,
                    reason=fault.reply_text) from fault
            except (*wire.connection_errors, *wire.channel_errors) as fault:
                raise errors.BusUnavailable(
                    "the cloud's bus does not answer",
                    reason=str(fault) or repr(fault)) from fault

    def _queues(self, priorities: Sequence[str]) -> list[Queue]:
        durable = self.durable or self.quorum
        arguments: dict[str, object] = {}
        if self.quorum:
            arguments['x-queue-type'] = 'quorum'
            if self.delivery_limit:
                arguments['x-delivery-limit'] = self.delivery_limit
        return [Queue(  # type: ignore[no-untyped-call]
                    f'{topic}.{priority}', routing_key=f'{topic}.{priority}',
                    exchange=Exchange(  # type: ignore[no-untyped-call]
                        exchange, type='topic', durable=durable),
                    durable=durable, queue_arguments=arguments)
                for exchange, topic, priority in itertools.product(
                    self.exchanges, self.topics, priorities)]

    def _kombu_url(self) -> str:
        """kombu's spelling of the URL; several brokers are alternatives."""
        try:
            found = oslo_messaging.TransportURL.parse(cfg.ConfigOpts(),
                                                      self.url)
        except (oslo_messaging.InvalidTransportURL, ValueError) as fault:
            raise errors.InvalidConfiguration(
                "the URL of the cloud's bus cannot be read") from fault
        if found.transport not in _RABBIT or not found.hosts:
            raise errors.InvalidConfiguration(
                "the URL of the cloud's bus must name a RabbitMQ",
                transport=found.transport, allowed=_RABBIT)
        return ';'.join(
            'amqp://{}:{}@{}:{}/{}'.format(
                parse.quote(one.username or 'guest', safe=''),
                parse.quote(one.password or 'guest', safe=''),
                one.hostname, one.port or 5672,
                parse.quote(found.virtual_host or '', safe=''))
            for one in found.hosts)

    def _ssl(self) -> dict[str, object] | bool:
        if self.ca_file is None:
            return False
        # Without a name of its own, the certificate must be for the host.
        return {'ca_certs': self.ca_file, 'cert_reqs': ssl.CERT_REQUIRED,
                'server_hostname': None}
