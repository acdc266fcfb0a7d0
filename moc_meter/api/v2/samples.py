# SPDX-License-Identifier: Apache-2.0
"""Samples of all meters, as they were recorded."""

from __future__ import annotations

from collections.abc import Sequence

from moc_meter import errors
from moc_meter.api.context import Caller
from moc_meter.api.v2 import arguments, paging, query, types
from moc_meter.api.v2.arguments import LIMIT, RULES, Rule
from moc_meter.api.v2.paging import MARKER, Pages
from moc_meter.api.v2.representation import expose
from moc_meter.model import metadata
from moc_meter.model.query import StoredSample
from moc_meter.storage.samples.base import SampleStore


class Samples:
    """/v2/samples and /v2/samples/{id}."""

    def __init__(self, *, store: SampleStore, default_limit: int) -> None:
        self._store = store
        self._default_limit = default_limit

    @expose([types.Sample], RULES, LIMIT, MARKER, rule='get_samples')
    def index(self, caller: Caller, q: Sequence[Rule], limit: int | None,
              marker: str | None) -> Pages[StoredSample, StoredSample]:
        """The selected samples, newest first."""
        most = arguments.bounded(limit, self._default_limit)
        asked = query.asked(q, query.SAMPLES, caller)
        return paging.samples(
            lambda last, wanted: self._store.samples(
                asked.selection, wanted, after=last),
            types.Sample.of, most, marker)

    @expose(types.Sample, rule='get_sample')
    def show(self, caller: Caller, message_id: str) -> types.Shown:
        """One sample, which may be in any project that the caller sees."""
        metadata.check_text('id', message_id)
        found = self._store.sample(message_id, caller.visible_projects())
        if found is None:
            raise errors.NotFound(f'Sample {message_id} Not Found')
        return types.Sample.of(found)
