# SPDX-License-Identifier: Apache-2.0
"""Putting what was refused back through admission into the store."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa
from oslo_config import cfg

from moc_meter import errors, signing
from moc_meter.agent.notification import message
from moc_meter.agent.notification.host import PluginHost
from moc_meter.cmd import build, build_agent
from moc_meter.cmd.manage import record
from moc_meter.collector.service import WHOLE
from moc_meter.messaging import codec, entry
from moc_meter.model import query
from moc_meter.model.sample import Refused, Sample
from moc_meter.storage import engine as transactions
from moc_meter.storage import quarantine
from moc_meter.storage.samples.sql import SqlSampleStore

#: How a message of our own bus begins; see messaging/codec.py.
_ENVELOPE = b'{"v":'


class Release:
    """Of rows, one by one: all that is in a row is stored, or nothing."""

    def __init__(self, conf: cfg.ConfigOpts, engine: sa.Engine) -> None:
        self._engine = engine
        self._store = SqlSampleStore(engine)
        self._admission = build.admission(conf)
        self._conf = conf
        trusted = conf.messaging.trusted_keys
        self._verifier = (signing.load_verifier(Path(trusted)) if trusted
                          else None)

    def put(self, number: int) -> query.Written:
        """What became of the samples of a row, which has left.

        Raises NotFound where there is no such row, InvalidMessage where not
        all of it is kept, StoreUnavailable; and what refuses it again, which
        then stands in the row.
        """
        with transactions.reading(self._engine) as conn:
            kept = quarantine.find(conn, number)
        if kept is None:
            raise errors.NotFound('no such row in quarantine', id=number)
        if not kept.whole:
            raise errors.InvalidMessage('only its beginning is kept',
                                        id=number)
        try:
            now = build.now()
            samples = [self._admission.admit(sample, now)
                       for sample in self._read(kept.refused)]
            return self._store.release(number, samples, now)
        except errors.NotFound:
            raise
        except errors.MeterError as fault:
            if not fault.retryable:
                self._amend(kept, fault)
            raise

    def _amend(self, kept: quarantine.Kept, fault: errors.MeterError
               ) -> None:
        again = dataclasses.replace(
            entry.set_aside(kept.refused.content, fault),
            origin=kept.refused.origin)
        transactions.transact(self._engine, lambda conn: quarantine.amend(
            conn, kept.id, again))

    def _read(self, refused: Refused) -> Sequence[Sample]:
        """The samples in the bytes; who refused them says what they are."""
        content = refused.content
        if refused.origin == record.ORIGIN:
            return [record.read(content, _source(refused))]
        if refused.origin == 'agent notification':
            outcome = self._host.take(_source(refused), message.flat(content))
            return _whole(outcome.samples, outcome.refused)
        if refused.origin == WHOLE or content.startswith(_ENVELOPE):
            if refused.code == errors.InvalidSignature.code and (
                    self._verifier is None):
                raise errors.InvalidSignature(
                    'who signed it must be known: set [messaging] '
                    'trusted_keys as for the collector')
            batch = codec.decode(content, self._verifier)
            return _whole(batch.samples, batch.refused)
        return [entry.read_sample(content)]

    @functools.cached_property
    def _host(self) -> PluginHost:
        return build_agent.plugin_host(self._conf)


def _source(refused: Refused) -> str:
    """Whose it was: under another source its samples would count twice."""
    if refused.source is None:
        raise errors.InvalidMessage('which deployment it is of is not known')
    return refused.source


def _whole(samples: Sequence[Sample], refused: Sequence[Refused]
           ) -> Sequence[Sample]:
    """The samples, where nothing was refused and there are any."""
    for one in refused:
        raise errors.InvalidMessage(one.reason)
    if not samples:
        raise errors.InvalidMessage('nothing is metered of it')
    return samples
