# SPDX-License-Identifier: Apache-2.0
"""Options into objects: the agent. No database comes with it."""

from __future__ import annotations

import datetime
import functools
import socket
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oslo_config import cfg

from moc_meter import errors, plugins
from moc_meter.agent.calls import Calls
from moc_meter.agent.notification.host import PluginHost
from moc_meter.agent.polling.discovery import NovaInstances
from moc_meter.agent.polling.service import PollingService
from moc_meter.agent.polling.survey import HostSurvey, InstanceSurvey, Survey
from moc_meter.cmd import build, selfreport
from moc_meter.cmd.selfreport import Report
from moc_meter.messaging.base import Sender
from moc_meter.publisher.base import Publisher
from moc_meter.publisher.bus import BusPublisher
from moc_meter.publisher.file import FilePublisher
from moc_meter.publisher.spool import Spool

if TYPE_CHECKING:
    # Their libraries are large, and of use to those who sign, or hear a cloud.
    from moc_meter import signing
    from moc_meter.agent.notification.service import NotificationService

#: Longest that a plugin may take to be made, in seconds.
_PATIENCE = 30.0


def publisher(conf: cfg.ConfigOpts, report: Report) -> Publisher:
    """What an agent hands its samples to."""
    if conf.agent.publisher == 'file':
        return FilePublisher(Path(conf.agent.file
                                  or build.state_file(conf, 'samples.jsonl')),
                             build.signer(conf))
    sender = build.bus(conf).sender()
    build.settle(sender.check)
    return spooled(conf, sender, report, build.signer(conf))


def spooled(conf: cfg.ConfigOpts, sender: Sender, report: Report,
            signed_by: signing.Signer | None = None) -> BusPublisher:
    """The spool of an agent before a bus."""
    path = conf.agent.spool or build.state_file(conf, 'spool.sqlite')
    spool = Spool(Path(path), conf.agent.spool_max_mib * 2 ** 20)
    made = BusPublisher(spool, sender, signed_by)
    report.add(selfreport.sending(made))
    return made


def sources(conf: cfg.ConfigOpts, out: Publisher, hypervisor: Any | None,
            report: Report) -> dict[str, Callable[[threading.Event], None]]:
    """What an agent runs, by name: hearing and polling, where wanted."""
    found = {'notifications': _notifications(conf, out, report),
             'polling': _polling(conf, out, hypervisor, report)}
    return {name: service.run for name, service in found.items() if service}


def _notifications(conf: cfg.ConfigOpts, out: Publisher, report: Report
                   ) -> NotificationService | None:
    """Hearing the cloud; None where no bus of a cloud is named."""
    said = conf.notification
    if not said.url:
        return None
    from moc_meter.agent.notification.cloud import CloudBus
    from moc_meter.agent.notification.service import NotificationService
    cloud = CloudBus(
        url=said.url, exchanges=said.exchanges, topics=said.topics,
        durable=said.durable_queues, quorum=said.quorum_queues,
        delivery_limit=said.quorum_delivery_limit, ca_file=said.ca_file)
    host = plugin_host(conf, said.events)
    report.add(selfreport.hearing(host))
    service = NotificationService(
        cloud, source=conf.sample_source, host=host, publisher=out)
    build.settle(service.check)
    return service


def plugin_host(conf: cfg.ConfigOpts,
                events: Sequence[str] = ()) -> PluginHost:
    """events: patterns of the types of which events are made too."""
    return PluginHost(
        _made('moc_meter.notification', conf.notification.plugins),
        build.definitions(conf), conf.notification.profiles, events=events)


def _polling(conf: cfg.ConfigOpts, out: Publisher,
             hypervisor: Any | None, report: Report) -> PollingService | None:
    """Polling instances and this host; None where nothing is polled."""
    name = host(conf)
    surveys: dict[str, Survey] = {}
    pollers: dict[str, dict[str, Any]] = {}
    if hypervisor is not None:
        pollers['compute'] = _made('moc_meter.poll.compute',
                                   conf.polling.compute, hypervisor)
        surveys['compute'] = InstanceSurvey(NovaInstances(hypervisor, name),
                                            pollers['compute'])
    if conf.polling.hardware:
        pollers['hardware'] = _made('moc_meter.poll.hardware',
                                    conf.polling.hardware)
        surveys['hardware'] = HostSurvey(name, pollers['hardware'])
    if not surveys:
        return None
    service = PollingService(
        source=conf.sample_source, surveys=surveys, publisher=out,
        interval=datetime.timedelta(seconds=conf.polling.interval))
    report.add(selfreport.polling(service, pollers))
    return service


def host(conf: cfg.ConfigOpts) -> str:
    """The name of this host in the ids of its resources."""
    return conf.agent.host or socket.gethostname()


def hypervisor(conf: cfg.ConfigOpts) -> Any | None:
    """The hypervisor of this machine; None where none is polled."""
    name = conf.polling.hypervisor
    if not name:
        return None
    given: dict[str, float] = {}
    if name == 'libvirt':
        # Some guests may hang, and the round must end before the next tick.
        given['timeout'] = min(10.0, conf.polling.interval / 10)
    return _made('moc_meter.hypervisor', [name], conf.polling.libvirt_uri,
                 **given)[name]


def _made(namespace: str, names: Sequence[str] | None, *given: object,
          **options: object) -> dict[str, Any]:
    """What entry points make of what they are given, by name.

    names: as plugins.load has them.
    Raises InvalidPlugin, with the name and its package, where one raises or
    does not end: what is wanted and missing must stop the process at its
    start. What one says of the configuration, or of its hypervisor, is said
    as it is.
    """
    calls, found = Calls('plugin-making'), {}
    for name, make in plugins.load(namespace, names).items():
        try:
            found[name] = calls.call(
                name, functools.partial(make, *given, **options), _PATIENCE)
        except (errors.InvalidConfiguration, errors.HypervisorUnavailable):
            raise
        except (Exception, SystemExit) as fault:
            raise errors.InvalidPlugin(
                'a plugin cannot be made', namespace=namespace, name=name,
                package=plugins.package(namespace, name), reason=repr(fault)
                ) from fault
    return found
