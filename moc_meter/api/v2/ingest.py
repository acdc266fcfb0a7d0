# SPDX-License-Identifier: Apache-2.0
"""Batches of samples with ids of their own; an answer for each.

Beyond Ceilometer's API: for programs of ours, and for those that lost an
answer and must be able to send again.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from typing import Any

from moc_meter import errors
from moc_meter.api.context import Caller
from moc_meter.api.negotiation import JSON
from moc_meter.api.v2 import cloudevents, reading, refusals, types
from moc_meter.api.v2.representation import expose
from moc_meter.model.admission import Admission
from moc_meter.model.sample import MeterKind, Sample
from moc_meter.storage.samples.base import SampleStore

_REFUSED = 'refused'
#: Must be there, and not be null, which the form of the request lets pass.
_MANDATORY = ('message_id', 'source', 'counter_name', 'counter_type',
              'counter_unit', 'counter_volume', 'resource_id', 'timestamp')


def plain(content: bytes) -> list[cloudevents.Item]:
    """The samples of a list in JSON."""
    said = reading.document(content)
    if not isinstance(said, list):
        raise refusals.invalid('samples', said, 'A list is expected.')
    return [_item(one) for one in said]


def _item(said: Any) -> cloudevents.Item:
    try:
        sample: types.IngestedSample = reading.typed(
            reading.mapping(said, 'samples'), types.IngestedSample, 'samples')
    except errors.InvalidQuery as refusal:
        found = said.get('message_id') if isinstance(said, dict) else None
        return cloudevents.Malformed(
            found if isinstance(found, str) else None, str(refusal))
    return sample


_XML = reading.body('samples', [types.IngestedSample])
_BODY = reading.Body(_XML.name, {
    **_XML.of, JSON: plain, cloudevents.STRUCTURED: cloudevents.structured,
    cloudevents.BATCHED: cloudevents.batched})


class Ingest:
    """/v2/ingest."""

    def __init__(self, *, store: SampleStore, admission: Admission,
                 clock: Callable[[], datetime.datetime], max_body: int
                 ) -> None:
        self._store = store
        self._admission = admission
        self._clock = clock
        self.max_body = max_body

    @expose([types.Outcome], body=_BODY, rule='create_samples')
    def post(self, caller: Caller,
             samples: Sequence[cloudevents.Item] | None
             ) -> list[types.Outcome]:
        """Store what can be; durable when it is answered.

        Returns one outcome a sample, in their order: stored, duplicate (it
        was there), conflict (something else is there under its identity; it
        is in quarantine), expired (older than what retention has dropped; in
        quarantine) or refused, with the reason.
        """
        if not samples:
            raise errors.InvalidQuery(
                'Samples should be included in request body')
        caller.check_posts()
        now = self._clock()
        outcomes = [types.Outcome(message_id=one.message_id)
                    for one in samples]
        admitted: list[tuple[types.Outcome, Sample]] = []
        for one, outcome in zip(samples, outcomes, strict=True):
            try:
                admitted.append((outcome, self._admit(one, caller, now)))
            except errors.InvalidSample as refusal:
                outcome.status, outcome.reason = _REFUSED, str(refusal)
        if admitted:
            written = self._store.write([sample for _, sample in admitted],
                                        now)
            for (outcome, _), said in zip(admitted, written.outcomes,
                                          strict=True):
                outcome.status = said.value
        return outcomes

    def _admit(self, one: cloudevents.Item, caller: Caller,
               now: datetime.datetime) -> Sample:
        if isinstance(one, cloudevents.Malformed):
            raise errors.InvalidSample(one.reason)
        if nulls := [name for name in _MANDATORY
                     if getattr(one, name) is None]:
            raise errors.InvalidSample('must not be null', fields=nulls)
        project = one.project_id or (
            None if caller.posts_for_others else caller.project_id)
        if not caller.may_post_to(project):
            raise errors.InvalidSample(
                'can not post samples to other projects', project_id=project)
        if one.counter_type not in types.KINDS:
            raise errors.InvalidSample(
                'no such counter type', counter_type=one.counter_type,
                allowed=[kind.value for kind in types.KINDS])
        # A caller who sees one project must not speak for a source of ours.
        source = (one.source if caller.posts_for_others
                  else f'{project}:{one.source}')
        return self._admission.admit(Sample(
            source=source, message_id=one.message_id,
            timestamp=one.timestamp, meter=one.counter_name,
            kind=MeterKind(one.counter_type), unit=one.counter_unit,
            volume=one.counter_volume, resource_id=one.resource_id,
            project_id=project, user_id=one.user_id or None,
            metadata=one.resource_metadata or {}), now)
