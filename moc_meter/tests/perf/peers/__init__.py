# SPDX-License-Identifier: Apache-2.0
"""Other services that do the same as ours, measured beside it.

Each runs from its release on PyPI, in an environment of its own, on servers
with the settings of ours, and stays up to the end of the invocation.
"""

from __future__ import annotations

from moc_meter.tests.perf.frame import Side
from moc_meter.tests.perf.peers import asked, polled, storing
from moc_meter.tests.perf.peers.services import services

_SIDES = {
    'T1': storing.batches, 'T2': storing.queued, 'T3': storing.live,
    'T4': polled.sides, 'T5': asked.month, 'T6': asked.growing,
    'T7': asked.lists, 'T8': asked.few, 'T10': asked.size}


def sides(target: str, data: object) -> list[Side]:
    """Of one target; none where no other service does the like, or where one
    that does answers differently.

    data: what the target is measured on, see there.
    """
    return [*_SIDES[target](services(), data)] if target in _SIDES else []
