# SPDX-License-Identifier: Apache-2.0
"""Assembling the WSGI application, top to bottom."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pecan

from moc_meter import signing
from moc_meter.api.faults import Faults
from moc_meter.api.negotiation import Request
from moc_meter.api.v2.ingest import Ingest
from moc_meter.api.v2.meters import Meters
from moc_meter.api.v2.posting import Posting
from moc_meter.api.v2.resources import Resources
from moc_meter.api.v2.root import Root
from moc_meter.api.v2.samples import Samples
from moc_meter.api.v2.statistics import Statistics
from moc_meter.api.v2.versions import Versions
from moc_meter.messaging.base import Sender
from moc_meter.model.admission import Admission
from moc_meter.storage.samples.base import SampleStore

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def make_app(*, store: SampleStore, sender: Sender, admission: Admission,
             clock: Callable[[], datetime.datetime],
             default_limit: int = 100,
             groupby_metadata_keys: Sequence[str] = ('instance_type',),
             sample_source: str = 'openstack',
             max_body: int = 16 * 1024 * 1024,
             signer: signing.Signer | None = None) -> Application:
    """The metering API, over a store and a bus.

    clock: the instant now, in UTC.
    default_limit: items of a list where the caller names no limit.
    groupby_metadata_keys: paths that statistics may be grouped by.
    sample_source: the source of posted samples that name none.
    max_body: the longest body that is read, in bytes.
    signer: signs what goes to the bus; None where signing is off.
    """
    posting = Posting(store=store, sender=sender, admission=admission,
                      clock=clock, sample_source=sample_source, signer=signer)
    root = Root(
        meters=Meters(store=store, posting=posting, max_body=max_body,
                      default_limit=default_limit),
        samples=Samples(store=store, default_limit=default_limit),
        resources=Resources(store=store, default_limit=default_limit),
        statistics=Statistics(store=store,
                              groupby_metadata_keys=groupby_metadata_keys),
        ingest=Ingest(store=store, admission=admission, clock=clock,
                      max_body=max_body),
        versions=Versions())
    application: Application = pecan.make_app(
        root, hooks=[Faults()], request_cls=Request, use_context_locals=False,
        guess_content_type_from_ext=False, force_canonical=False)
    return application
