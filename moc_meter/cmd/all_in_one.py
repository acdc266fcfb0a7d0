# SPDX-License-Identifier: Apache-2.0
"""moc-meter-all-in-one: every service as a thread of one process.

Wiring, and no logic: the local bus in place of RabbitMQ, SQLite as the store.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from oslo_config import cfg

from moc_meter import errors
from moc_meter.agent.calls import Calls
from moc_meter.cmd import build_agent, build_api, build_store, process
from moc_meter.cmd.demonstration import Demonstration
from moc_meter.cmd.greeting import Greeting
from moc_meter.cmd.selfreport import Report
from moc_meter.messaging import local
from moc_meter.messaging.base import Sender
from moc_meter.publisher.base import Publisher
from moc_meter.storage import engine as engines
from moc_meter.storage.samples.base import SampleStore

NAME = 'moc-meter-all-in-one'
#: Longest that the start waits for the hypervisor, in seconds.
_PATIENCE = 15.0

_CLI = [
    cfg.HostAddressOpt('host',
                       help='Address to listen on; default 127.0.0.1.'),
    cfg.PortOpt('port', min=0,
                help='Port to listen on; default 8777; 0 takes a free one.'),
    cfg.StrOpt('state-dir', dest='cli_state_dir', metavar='FOLDER',
               help='Folder for database and spool; made where there is '
                    'none. Default: ~/.local/state/moc_meter.'),
    cfg.BoolOpt('insecure-listen-anywhere', default=False,
                help='Listen on an address that other machines can reach, '
                     'though callers are not authenticated.'),
    cfg.BoolOpt('demo', default=False,
                help='Show a made-up research cloud of three institutions and '
                     'a year, instead of this machine. It is loaded at the '
                     'first start.'),
    cfg.BoolOpt('stop-with-parent', default=False,
                help='End when the process that started this one ends.'),
]


def main() -> int:
    """Entry point."""
    return process.main(NAME, _start, cli=_CLI)


def _start(conf: cfg.ConfigOpts) -> int:
    _prepare(conf)
    engines.migrate(build_store.engine(conf))
    making, keeping = (Report(conf.agent.metrics_port),
                       Report(conf.collector.metrics_port))
    # The embedded bus: what is sent is stored when send() returns.
    bus = local.connect(batch_messages=conf.collector.batch_messages)
    store = build_store.store(conf)
    server = build_api.server(
        conf, build_api.application(
            conf, build_store.store(conf, conf.database.statement_timeout),
            bus.sender()))
    publisher = build_agent.spooled(conf, bus.sender(), making)
    collector = build_store.collector(conf, bus.receiver(), store, keeping)
    sources = (_demonstration(conf, server.url, bus.sender(), store)
               if conf.demo else
               _metering(conf, server.url, publisher, making))
    return process.serve(
        {'api': server.run, 'jobs': build_store.jobs(conf).run, **sources},
        {'publisher': process.closing(publisher)},
        {'collector': collector.run},
        making.services(), keeping.services(),
        parent=os.getppid() if conf.stop_with_parent else None)


def _demonstration(conf: cfg.ConfigOpts, url: str, sender: Sender,
                   store: SampleStore) -> dict[str, process.Service]:
    """A made-up cloud; then this machine is of no interest."""
    return {'demonstration': Demonstration(url, conf.state_dir, sender,
                                           store).run}


def _metering(conf: cfg.ConfigOpts, url: str, publisher: Publisher,
              report: Report) -> dict[str, process.Service]:
    """This machine, and what a cloud notifies."""
    greeting = Greeting(url, conf.state_dir, build_agent.host(conf),
                        conf.polling.interval,
                        conf.api.auth_strategy == 'noauth')
    return {'greeting': greeting.run, **build_agent.sources(
        conf, publisher, _hypervisor(conf, greeting), report)}


def _hypervisor(conf: cfg.ConfigOpts, greeting: Greeting) -> Any | None:
    """The hypervisor where it answers; a newcomer may have none."""
    try:
        found = build_agent.hypervisor(conf)
    except (errors.HypervisorUnavailable, errors.MissingLibrary) as fault:
        greeting.add(f'No instances are polled: {fault}')
        return None
    if found is None:
        return None
    try:
        Calls('hypervisor').call('guests', found.guests, _PATIENCE)
    except (Exception, SystemExit) as fault:
        # A stranger's may raise what it likes, and hang: the rest starts.
        said = str(fault) if isinstance(fault, errors.MeterError) else (
            f'{conf.polling.hypervisor} does not answer: {fault!r}')
        greeting.add(f'No instances are polled: {said}')
        return None
    return found


def _prepare(conf: cfg.ConfigOpts) -> None:
    """What the command line says, and what follows from it."""
    if conf.database.url:
        raise errors.InvalidConfiguration(
            'the all-in-one keeps its samples in its own SQLite file; for '
            'another database run the processes one by one',
            section='database', option='url')
    if conf.demo and conf.api.auth_strategy != 'noauth':
        raise errors.InvalidConfiguration(
            'the demonstration is for a newcomer whom nobody asks who that '
            'is', section='api', option='auth_strategy',
            value=conf.api.auth_strategy)
    for name, given, section in (
            ('host', conf.host, 'api'), ('port', conf.port, 'api'),
            ('state_dir', conf.cli_state_dir, None)):
        if given is not None:
            conf.set_override(name, given, group=section)
    if conf.insecure_listen_anywhere:
        conf.set_override('insecure_listen_anywhere', True, group='api')
    folder = Path(conf.state_dir).expanduser().absolute()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as fault:
        raise errors.InvalidConfiguration(
            'the state folder cannot be made; name another one with '
            '--state-dir', state_dir=str(folder),
            reason=fault.strerror) from fault
    conf.set_override('state_dir', str(folder))
    conf.set_override('url', f'sqlite:///{folder}/samples.sqlite',
                      group='database')


if __name__ == '__main__':
    sys.exit(main())
