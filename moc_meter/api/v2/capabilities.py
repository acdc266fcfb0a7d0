# SPDX-License-Identifier: Apache-2.0
"""What this API can do: all of it, on every database."""

from __future__ import annotations

from wsme import types as wtypes

from moc_meter.api.context import Caller
from moc_meter.api.v2.representation import expose

_SIMPLE = ('simple', 'metadata')
_API = (
    *(f'{noun}:query:{form}'
      for noun in ('meters', 'resources', 'statistics') for form in _SIMPLE),
    *(f'samples:query:{form}' for form in (*_SIMPLE, 'complex')),
    'statistics:groupby', 'statistics:aggregation:standard',
    *(f'statistics:aggregation:selectable:{function}' for function in (
        'max', 'min', 'sum', 'avg', 'count', 'stddev', 'cardinality')),
    'events:query:simple')
_FLAGS = wtypes.DictType(wtypes.text, bool)


class CapabilityDocument(wtypes.Base):  # type: ignore[misc]
    """Flags by what they are about."""

    api = _FLAGS
    storage = _FLAGS


class Capabilities:
    """/v2/capabilities, for everybody."""

    @expose(CapabilityDocument, rule=None)
    def index(self, caller: Caller) -> CapabilityDocument:
        """The same for every caller."""
        del caller
        return CapabilityDocument(
            api=dict.fromkeys(_API, True),
            storage={'storage:production_ready': True})
