# SPDX-License-Identifier: Apache-2.0
"""Samples that fulfil a whole expression, in an order that is asked for."""

from __future__ import annotations

from moc_meter import errors
from moc_meter.api.context import Caller
from moc_meter.api.v2 import arguments, filters, paging, reading, types
from moc_meter.api.v2.paging import MARKER, Pages
from moc_meter.api.v2.representation import expose
from moc_meter.model.expression import Column, Compare, Expression, Op, leaves
from moc_meter.model.query import Selection, StoredSample
from moc_meter.storage.samples.base import SampleStore


class ComplexQuery:
    """/v2/query/samples."""

    def __init__(self, *, store: SampleStore, default_limit: int,
                 max_body: int) -> None:
        self._store = store
        self._default_limit = default_limit
        self.max_body = max_body

    @expose([types.Sample], MARKER, rule='query_sample',
            body=reading.body('body', types.ComplexQuery))
    def post(self, caller: Caller, marker: str | None,
             body: types.ComplexQuery | None
             ) -> Pages[StoredSample, StoredSample]:
        """The samples of which the filter is true; all without one."""
        if body is None:
            raise errors.InvalidQuery('A query must be in the request body')
        limit = arguments.bounded(body.limit, self._default_limit)
        sort = filters.parse_order(body.orderby) if body.orderby else ()
        where = filters.parse_filter(body.filter) if body.filter else None
        selection = Selection(projects=caller.visible_projects())
        if where is not None:
            self._check(where, caller)
        return paging.samples(
            lambda last, wanted: self._store.samples(
                selection, wanted, where=where, sort=sort, after=last),
            types.Sample.of, limit, marker, sorts=bool(sort))

    def _check(self, where: Expression, caller: Caller) -> None:
        """Refuse foreign projects, and what is no regular expression."""
        for leaf in leaves(where):
            values = ((leaf.value,) if isinstance(leaf, Compare)
                      else leaf.values)
            if leaf.subject is Column.PROJECT:
                for value in values:
                    caller.check_named(str(value))
            if isinstance(leaf, Compare) and leaf.op is Op.MATCH:
                self._store.check_expression(_pattern(leaf))


def _pattern(leaf: Compare) -> str:
    """Of a path the value is kind and text."""
    return str(leaf.value[-1] if isinstance(leaf.value, tuple)
               else leaf.value)
