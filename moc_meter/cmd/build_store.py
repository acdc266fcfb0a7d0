# SPDX-License-Identifier: Apache-2.0
"""Options into objects: what works on the database."""

from __future__ import annotations

import datetime
import functools
import socket
import threading
from pathlib import Path

import sqlalchemy as sa
from oslo_config import cfg

from moc_meter import errors, plugins, signing
from moc_meter.cmd import build, selfreport
from moc_meter.cmd.selfreport import Report
from moc_meter.collector.service import Collector
from moc_meter.jobs import retention
from moc_meter.jobs.service import Job, JobService
from moc_meter.messaging.base import Receiver
from moc_meter.model.query import RetentionLevel
from moc_meter.storage import engine as engines
from moc_meter.storage.samples import partitions
from moc_meter.storage.samples.base import SampleStore
from moc_meter.storage.samples.sql import SqlSampleStore


def engine(conf: cfg.ConfigOpts, statement_timeout: int | None = None
           ) -> sa.Engine:
    return engines.make_engine(
        build.required(conf, 'database', 'url'),
        pool_size=conf.database.pool_size,
        statement_timeout=statement_timeout)


def checked_engine(conf: cfg.ConfigOpts) -> sa.Engine:
    """For a command: raises StoreMismatch where the schema is not ours."""
    made = engine(conf)
    engines.check_schema(made)
    return made


def store(conf: cfg.ConfigOpts, statement_timeout: int | None = None
          ) -> SqlSampleStore:
    return SqlSampleStore(engine(conf, statement_timeout))


def collector(conf: cfg.ConfigOpts, receiver: Receiver, store: SampleStore,
              report: Report) -> Collector:
    if not conf.collector.dispatchers:
        raise errors.InvalidConfiguration(
            'samples must go somewhere; an option must not be empty',
            section='collector', option='dispatchers')
    loaded = plugins.load('moc_meter.dispatcher', conf.collector.dispatchers)
    trusted = conf.messaging.trusted_keys
    made = Collector(
        receiver, [make(store) for make in loaded.values()],
        build.admission(conf),
        signing.load_verifier(Path(trusted)) if trusted else None,
        clock=build.now, hold_seconds=conf.collector.hold_seconds)
    report.add(selfreport.collecting(made))
    return made


def jobs(conf: cfg.ConfigOpts) -> JobService:
    database = engine(conf)
    build.settle(lambda: engines.check_schema(database))

    def keep_partitions(at: datetime.datetime,
                        _stop: threading.Event) -> None:
        partitions.ahead(database, at, conf.jobs.partitions_ahead)
        partitions.pack(database, at)

    wanted = [Job(name='partitions', run=keep_partitions,
                  interval=conf.jobs.partitions_interval)]
    wanted += [
        Job(name=f'retention of {level}', interval=conf.retention.interval,
            run=functools.partial(
                retention.drop, SqlSampleStore(database), level, keep,
                f'moc-meter-jobs on {socket.gethostname()}'))
        for level, keep in ages(conf).items()]
    return JobService(wanted, build.now)


def ages(conf: cfg.ConfigOpts) -> dict[RetentionLevel, datetime.timedelta]:
    """How long each level is kept that is not kept for ever."""
    days = {RetentionLevel.SAMPLES: conf.retention.samples,
            RetentionLevel.EVENTS: conf.retention.samples
            if conf.retention.events is None else conf.retention.events}
    return {level: datetime.timedelta(days=kept)
            for level, kept in days.items() if kept}
