# SPDX-License-Identifier: Apache-2.0
"""Meters, and the samples of one: read and posted."""

from __future__ import annotations

from collections.abc import Sequence

from moc_meter.api.context import Caller
from moc_meter.api.v2 import arguments, paging, query, reading, types
from moc_meter.api.v2.arguments import LIMIT, RULES, Rule
from moc_meter.api.v2.paging import MARKER, Pages
from moc_meter.api.v2.posting import Posting
from moc_meter.api.v2.representation import expose
from moc_meter.model.query import MeterSeen, StoredSample
from moc_meter.storage.samples.base import SampleStore


class Meters:
    """/v2/meters and /v2/meters/{name}."""

    def __init__(self, *, store: SampleStore, posting: Posting,
                 default_limit: int, max_body: int) -> None:
        self._store = store
        self._posting = posting
        self._default_limit = default_limit
        self.max_body = max_body

    @expose([types.Meter], RULES, LIMIT, MARKER, arguments.boolean('unique'),
            rule='get_meters')
    def index(self, caller: Caller, q: Sequence[Rule], limit: int | None,
              marker: str | None, unique: bool) -> Pages[MeterSeen, MeterSeen]:
        """Every meter with a selected sample, by name and resource."""
        most = arguments.bounded(limit, self._default_limit)
        asked = query.asked(q, query.METERS, caller)
        return paging.meters(
            lambda last, wanted: self._store.meters(
                asked.selection, wanted, unique, last),
            types.Meter.of, most, marker)

    @expose([types.OldSample], RULES, LIMIT, MARKER, rule='get_samples')
    def samples(self, caller: Caller, name: str, q: Sequence[Rule],
                limit: int | None, marker: str | None
                ) -> Pages[StoredSample, StoredSample]:
        """The meter's selected samples, newest first."""
        most = arguments.bounded(limit, self._default_limit)
        asked = query.asked(q, query.SAMPLES, caller, name)
        return paging.samples(
            lambda last, wanted: self._store.samples(
                asked.selection, wanted, after=last),
            types.OldSample.of, most, marker)

    @expose([types.OldSample], arguments.boolean('direct'), status=201,
            body=reading.body('samples', [types.OldSample]),
            rule='create_samples')
    def post(self, caller: Caller, name: str, direct: bool,
             samples: Sequence[types.OldSample] | None
             ) -> Sequence[types.OldSample]:
        """Take samples of the meter, all or none; they are echoed."""
        return self._posting.take(name, samples, caller, direct)
