# SPDX-License-Identifier: Apache-2.0
"""Which component a meter comes from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from moc_meter.model.meter import Definitions
from moc_meter.plugins import Installed

OTHER = 'other'
_NOTIFICATION, _POLL = 'moc_meter.notification', 'moc_meter.poll.'
#: What our plugins call components that meters know by another name.
_CARRIED: Mapping[str, str] = {
    'api': 'middleware', 'data-processing': 'dataprocessing',
    'host': 'hardware', 'storage': 'objectstore'}


def carried(installed: Iterable[Installed]) -> frozenset[str]:
    """The components that entry points of plugins carry.

    'volume.snapshot' of those that listen carries 'volume'; of those that
    poll it is the last part of the namespace.
    """
    return frozenset(
        one.name.partition('.')[0] if one.namespace == _NOTIFICATION
        else one.namespace.removeprefix(_POLL)
        for one in installed
        if one.namespace == _NOTIFICATION or one.namespace.startswith(_POLL))


class Components:
    """Components of meters: what a meter's definition says.

    Where it has none, or there is no plugin for its component, it belongs to
    OTHER.
    """

    def __init__(self, definitions: Definitions,
                 carried: Collection[str]) -> None:
        self._definitions = definitions
        self._carried = carried

    def of(self, meter: str) -> str:
        found = self._definitions.find(meter)
        if found is None or _CARRIED.get(
                found.component, found.component) not in self._carried:
            return OTHER
        return found.component
