# SPDX-License-Identifier: Apache-2.0
"""Assembling the WSGI application, top to bottom."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Sequence
from typing import Any

from pecan import core

from moc_meter import signing
from moc_meter.api import edge
from moc_meter.api import identity as identities
from moc_meter.api.faults import Faults
from moc_meter.api.negotiation import Request
from moc_meter.api.patience import patient
from moc_meter.api.policy import Policy
from moc_meter.api.v1 import routes as v1
from moc_meter.api.v1.components import Components
from moc_meter.api.v1.discovery import Discovery
from moc_meter.api.v1.figures import Figures
from moc_meter.api.v1.raw import RawSamples
from moc_meter.api.v2.capabilities import Capabilities
from moc_meter.api.v2.complex_query import ComplexQuery
from moc_meter.api.v2.event_types import EventTypes
from moc_meter.api.v2.events import Events
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

Application = identities.Application


class _Application(core.ExplicitPecan):         # type: ignore[misc]
    """Pecan, that leaves an answer alone: it would read it to the end.

    Nor does it look twice a request at the signatures of what it calls, for
    which it makes a class each time: 0.1 ms.
    """

    def route(self, request: Request, root: Root, _: str
              ) -> tuple[Callable[..., Any], list[str]]:
        return root.route(request)

    def invoke_controller(self, controller: Callable[..., Any],
                          args: Sequence[Any], _: object, state: Any) -> None:
        state.response = controller(*args)

    def _handle_empty_response_body(self, state: object) -> None:
        pass


def make_app(*, store: SampleStore, sender: Sender, admission: Admission,
             clock: Callable[[], datetime.datetime],
             identity: identities.Identity, policy: Policy,
             components: Components,
             default_limit: int = 100,
             groupby_metadata_keys: Sequence[str] = ('instance_type',),
             sample_source: str = 'openstack',
             max_body: int = 16 * 1024 * 1024,
             behind_proxy: bool = False,
             allowed_origins: Sequence[str] = (),
             patience: float = 10.0,
             signer: signing.Signer | None = None) -> Application:
    """The metering API, over a store and a bus.

    clock: the instant now, in UTC.
    identity: finds out who asks.
    policy: says what they may do and see.
    components: says which component a meter comes from.
    default_limit: items of a list where the caller names no limit.
    groupby_metadata_keys: paths that statistics may be grouped by.
    sample_source: the source of posted samples that name none.
    max_body: the longest body that is read, in bytes.
    behind_proxy, allowed_origins: see edge.py.
    patience: seconds that a request may wait for its turn.
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
        versions=Versions(),
        complex_query=ComplexQuery(store=store, max_body=max_body,
                                   default_limit=default_limit),
        capabilities=Capabilities(),
        events=Events(store=store, default_limit=default_limit),
        event_types=EventTypes(store=store),
        first=v1.controllers(
            Discovery(store=store, components=components),
            RawSamples(store=store, default_limit=default_limit),
            Figures(store=store)))
    application: Application = _Application(
        root, hooks=[Faults(), policy], request_cls=Request,
        guess_content_type_from_ext=False, force_canonical=False)
    patiently = patient(identity(application), patience,
                        behind_proxy=behind_proxy, clock=time.time)
    return edge.around(patiently, behind_proxy=behind_proxy,
                       allowed_origins=allowed_origins)
