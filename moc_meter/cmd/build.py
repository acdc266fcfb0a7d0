# SPDX-License-Identifier: Apache-2.0
"""Options into objects: plain constructions, one function a thing."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from oslo_config import cfg

from moc_meter import errors, plugins, signing
from moc_meter.agent.notification.cloud import CloudBus
from moc_meter.agent.notification.host import PluginHost
from moc_meter.agent.notification.service import NotificationService
from moc_meter.agent.polling.discovery import NovaInstances
from moc_meter.agent.polling.round import HostSurvey, InstanceSurvey, Survey
from moc_meter.agent.polling.service import PollingService
from moc_meter.api import app
from moc_meter.collector.service import Collector
from moc_meter.jobs.service import Job, JobService
from moc_meter.messaging.base import Receiver, Sender
from moc_meter.model import meter
from moc_meter.model.admission import Admission
from moc_meter.publisher.base import Publisher
from moc_meter.publisher.bus import BusPublisher
from moc_meter.publisher.file import FilePublisher
from moc_meter.publisher.spool import Spool
from moc_meter.storage import engine as engines
from moc_meter.storage.samples import partitions
from moc_meter.storage.samples.base import SampleStore
from moc_meter.storage.samples.sql import SqlSampleStore


def now() -> datetime.datetime:
    """The one clock of a process."""
    return datetime.datetime.now(datetime.UTC)


def settle(check: Callable[[], None]) -> None:
    """Do a check of the start of a process.

    What does not fit stops the start, since an operator has to mend it. What
    is away does not: it is waited for, and whoever needs it says so.
    """
    with contextlib.suppress(errors.BusUnavailable, errors.StoreUnavailable):
        check()


def engine(conf: cfg.ConfigOpts, statement_timeout: int | None = None
           ) -> sa.Engine:
    return engines.make_engine(
        _required(conf, 'database', 'url'),
        pool_size=conf.database.pool_size,
        statement_timeout=statement_timeout)


def definitions(conf: cfg.ConfigOpts) -> meter.Definitions:
    return meter.load(Path(conf.admission.meters_dir))


def admission(conf: cfg.ConfigOpts) -> Admission:
    return Admission(
        definitions=definitions(conf), strict=conf.admission.strict,
        max_future=datetime.timedelta(seconds=conf.admission.max_future))


def bus(conf: cfg.ConfigOpts) -> Any:
    """The bus between processes."""
    given: dict[str, Any] = {}
    if conf.messaging.ca_file:
        given['ssl_ca_file'] = Path(conf.messaging.ca_file)
    return plugins.load('moc_meter.bus', ['amqp'])['amqp'](
        url=_required(conf, 'messaging', 'url'), queue=conf.messaging.queue,
        batch_messages=conf.collector.batch_messages,
        batch_seconds=conf.collector.batch_seconds, **given)


def signer(conf: cfg.ConfigOpts) -> signing.Signer | None:
    path = conf.messaging.signing_key
    return signing.load_signer(Path(path)) if path else None


def publisher(conf: cfg.ConfigOpts) -> Publisher:
    """What an agent hands its samples to."""
    if conf.agent.publisher == 'file':
        return FilePublisher(Path(conf.agent.file
                                  or state_file(conf, 'samples.jsonl')),
                             signer(conf))
    sender = bus(conf).sender()
    settle(sender.check)
    return spooled(conf, sender, signer(conf))


def spooled(conf: cfg.ConfigOpts, sender: Sender,
            signed_by: signing.Signer | None = None) -> BusPublisher:
    """The spool of an agent before a bus."""
    spool = Spool(Path(conf.agent.spool or state_file(conf, 'spool.sqlite')),
                  conf.agent.spool_max_mib * 2 ** 20)
    return BusPublisher(spool, sender, signed_by)


def sources(conf: cfg.ConfigOpts, out: Publisher, hypervisor: Any | None
            ) -> dict[str, Callable[[threading.Event], None]]:
    """What an agent runs, by name: hearing and polling, where wanted."""
    found = {'notifications': _notifications(conf, out),
             'polling': _polling(conf, out, hypervisor)}
    return {name: service.run for name, service in found.items() if service}


def _notifications(conf: cfg.ConfigOpts, out: Publisher
                   ) -> NotificationService | None:
    """Hearing the cloud; None where no bus of a cloud is named."""
    said = conf.notification
    if not said.url:
        return None
    cloud = CloudBus(
        url=said.url, exchanges=said.exchanges, topics=said.topics,
        durable=said.durable_queues, quorum=said.quorum_queues,
        delivery_limit=said.quorum_delivery_limit, ca_file=said.ca_file)
    service = NotificationService(cloud, source=conf.sample_source,
                                  host=plugin_host(conf), publisher=out)
    settle(service.check)
    return service


def plugin_host(conf: cfg.ConfigOpts) -> PluginHost:
    loaded = plugins.load('moc_meter.notification',
                          conf.notification.plugins)
    return PluginHost({name: make() for name, make in loaded.items()},
                      definitions(conf), conf.notification.profiles)


def _polling(conf: cfg.ConfigOpts, out: Publisher,
             hypervisor: Any | None) -> PollingService | None:
    """Polling instances and this host; None where nothing is polled."""
    name = host(conf)
    surveys: dict[str, Survey] = {}
    if hypervisor is not None:
        compute = plugins.load('moc_meter.poll.compute', conf.polling.compute)
        surveys['compute'] = InstanceSurvey(
            NovaInstances(hypervisor, name),
            {key: make(hypervisor) for key, make in compute.items()})
    if conf.polling.hardware:
        hardware = plugins.load('moc_meter.poll.hardware',
                                conf.polling.hardware)
        surveys['hardware'] = HostSurvey(
            name, {key: make() for key, make in hardware.items()})
    if not surveys:
        return None
    return PollingService(
        source=conf.sample_source, surveys=surveys, publisher=out,
        interval=datetime.timedelta(seconds=conf.polling.interval))


def host(conf: cfg.ConfigOpts) -> str:
    """The name of this host in the ids of its resources."""
    return conf.agent.host or socket.gethostname()


def hypervisor(conf: cfg.ConfigOpts) -> Any | None:
    """The hypervisor of this machine; None where none is polled."""
    name = conf.polling.hypervisor
    if not name:
        return None
    return plugins.load('moc_meter.hypervisor', [name])[name](
        conf.polling.libvirt_uri)


def collector(conf: cfg.ConfigOpts, receiver: Receiver, store: SampleStore
              ) -> Collector:
    if not conf.collector.dispatchers:
        raise errors.InvalidConfiguration(
            'samples must go somewhere; an option must not be empty',
            section='collector', option='dispatchers')
    loaded = plugins.load('moc_meter.dispatcher', conf.collector.dispatchers)
    trusted = conf.messaging.trusted_keys
    return Collector(
        receiver, [make(store) for make in loaded.values()], admission(conf),
        signing.load_verifier(Path(trusted)) if trusted else None,
        clock=now, hold_seconds=conf.collector.hold_seconds)


def jobs(conf: cfg.ConfigOpts) -> JobService:
    database = engine(conf)
    settle(lambda: engines.check_schema(database))

    def keep_partitions(at: datetime.datetime) -> None:
        partitions.ahead(database, at, conf.jobs.partitions_ahead)
        partitions.pack(database, at)

    return JobService([Job(name='partitions', run=keep_partitions,
                           interval=conf.jobs.partitions_interval)], now)


def application(conf: cfg.ConfigOpts, store: SampleStore, sender: Sender
                ) -> app.Application:
    return app.make_app(
        store=store, sender=sender, admission=admission(conf), clock=now,
        default_limit=conf.api.default_api_return_limit,
        groupby_metadata_keys=conf.api.groupby_metadata_keys,
        sample_source=conf.sample_source,
        max_body=conf.api.max_body_mib * 2 ** 20, signer=signer(conf))


def store(conf: cfg.ConfigOpts, statement_timeout: int | None = None
          ) -> SqlSampleStore:
    return SqlSampleStore(engine(conf, statement_timeout))


def state_file(conf: cfg.ConfigOpts, name: str) -> Path:
    return Path(conf.state_dir) / name


def address(conf: cfg.ConfigOpts) -> tuple[str, int]:
    """Where to listen; refuses to be reached by everybody by accident."""
    found = _resolved(conf.api.host)
    if not (conf.api.insecure_listen_anywhere or found.is_loopback):
        raise errors.InvalidConfiguration(
            'callers are not authenticated, so only loopback may be listened '
            'on; set [api] insecure_listen_anywhere = true (or '
            '--insecure-listen-anywhere) to serve everybody who can reach '
            'it', host=conf.api.host)
    return str(found), conf.api.port


def _resolved(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as fault:
        raise errors.InvalidConfiguration(
            'the address to listen on is not known', host=host,
            reason=str(fault)) from fault
    return ipaddress.ip_address(str(found[0][4][0]))


def _required(conf: cfg.ConfigOpts, section: str, option: str) -> str:
    value = conf[section][option]
    if not value:
        raise errors.InvalidConfiguration(
            'an option must be set', section=section, option=option,
            files=conf.config_file)
    return str(value)
