# SPDX-License-Identifier: Apache-2.0
"""Raw samples of a scope, oldest first."""

from __future__ import annotations

from moc_meter.api.context import Caller
from moc_meter.api.v1.narrowing import NARROWED, Narrowing, selection
from moc_meter.api.v2 import arguments, paging, types
from moc_meter.api.v2.arguments import LIMIT
from moc_meter.api.v2.paging import MARKER, Pages
from moc_meter.api.v2.representation import expose
from moc_meter.model.expression import Column
from moc_meter.model.query import Selection, StoredSample
from moc_meter.storage.samples.base import SampleStore

_OLDEST_FIRST = ((Column.TIMESTAMP, False),)
_List = Pages[StoredSample, StoredSample]


class RawSamples:
    """Of one meter, or of all."""

    def __init__(self, *, store: SampleStore, default_limit: int) -> None:
        self._store = store
        self._default_limit = default_limit

    @expose([types.OldSample], NARROWED, LIMIT, MARKER,
            arguments.text('meter'), rule='get_samples', key='samples')
    def index(self, caller: Caller, noun: str, name: str,
              narrowed: Narrowing, limit: int | None, marker: str | None,
              meter: str | None) -> _List:
        """The samples of a scope."""
        return self._list(
            selection(narrowed, caller, (noun, name), meter), limit, marker)

    @expose([types.OldSample], NARROWED, LIMIT, MARKER, rule='get_samples',
            key='samples')
    def of_meter(self, caller: Caller, noun: str, name: str, meter: str,
                 narrowed: Narrowing, limit: int | None,
                 marker: str | None) -> _List:
        """The samples of a meter in a scope."""
        return self._list(
            selection(narrowed, caller, (noun, name), meter), limit, marker)

    def _list(self, selected: Selection, limit: int | None,
              marker: str | None) -> _List:
        return paging.samples(
            lambda last, wanted: self._store.samples(
                selected, wanted, sort=_OLDEST_FIRST, after=last),
            types.OldSample.of,
            arguments.bounded(limit, self._default_limit), marker)
