# SPDX-License-Identifier: Apache-2.0
"""Which instances are there and whose they are, out of Nova's metadata.

Nova writes an ``<instance>`` element into every guest that it makes. Of it
this module reads the owner, the name, the flavor (memory and swap in MiB, disk
and ephemeral in GiB) and the image; see Nova's LibvirtConfigGuestMetaNova.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from xml.etree import ElementTree

from moc_meter.agent.polling.base import Instance
from moc_meter.agent.polling.hypervisor.base import Guest, Guests, PowerState

LOG = logging.getLogger(__name__)

#: Nova's vm_state, as far as the power state tells it.
_STATUS = {
    PowerState.NONE: 'building',
    PowerState.RUNNING: 'active',
    PowerState.BLOCKED: 'active',
    PowerState.PAUSED: 'paused',
    PowerState.SHUTTING_DOWN: 'stopped',
    PowerState.SHUT_OFF: 'stopped',
    PowerState.CRASHED: 'error',
    PowerState.SUSPENDED: 'suspended',
}


class NovaInstances:
    """The guests of one hypervisor that Nova made for somebody."""

    def __init__(self, hypervisor: Guests, host: str) -> None:
        self._hypervisor = hypervisor
        self._host = host
        self._skipped: frozenset[str] = frozenset()

    @property
    def skipped(self) -> int:
        """Guests that nobody can be charged for, at the last look."""
        return len(self._skipped)

    def instances(self) -> Sequence[Instance]:
        """Those that are there now, whether on or off.

        A guest without Nova's metadata, or without an owner in it, is left
        out; the log says it once of each.
        """
        found = {guest: self._instance(guest)
                 for guest in self._hypervisor.guests()}
        skipped = frozenset(guest.name for guest, instance in found.items()
                            if instance is None)
        for name in sorted(skipped - self._skipped):
            LOG.warning('guest not metered: Nova names no owner: '
                        'guest=%s host=%s', name, self._host)
        self._skipped = skipped
        return [instance for instance in found.values() if instance]

    def _instance(self, guest: Guest) -> Instance | None:
        if guest.nova is None:
            return None
        try:
            nova = _tree(guest)
        except ElementTree.ParseError:
            return None
        project = _attribute(nova, 'owner/project', 'uuid')
        user = _attribute(nova, 'owner/user', 'uuid')
        if not project or not user:
            return None
        return Instance(
            id=guest.id, name=guest.name, host=self._host,
            project_id=project, user_id=user, run=guest.run,
            metadata={'host': self._host, 'name': guest.name,
                      'status': _STATUS[guest.state],
                      'state': _STATUS[guest.state],
                      'os_type': guest.os_type,
                      'architecture': guest.architecture,
                      'run': guest.run,
                      **_described(nova)})


def _tree(guest: Guest) -> ElementTree.Element:
    """Nova's element, its tags without their namespace."""
    # The hypervisor wrote it anew from its own tree: it has no entities.
    tree = ElementTree.fromstring(guest.nova or '')  # noqa: S314
    for element in tree.iter():
        element.tag = element.tag.rpartition('}')[2]
    return tree


def _described(nova: ElementTree.Element) -> dict[str, object]:
    """What was sold: sizes as Nova counts them, and by its old names too."""
    root = _number(nova, 'flavor/disk')
    ephemeral = _number(nova, 'flavor/ephemeral')
    flavor = {'name': _attribute(nova, 'flavor', 'name'),
              'vcpus': _number(nova, 'flavor/vcpus'),
              'ram': _number(nova, 'flavor/memory'),
              'disk': root,
              'ephemeral': ephemeral,
              'swap': _number(nova, 'flavor/swap')}
    image = (_attribute(nova, 'root', 'uuid')
             if _attribute(nova, 'root', 'type') == 'image' else None)
    return {'display_name': nova.findtext('name'),
            'flavor': flavor,
            'image': {'id': image} if image else None,
            'vcpus': flavor['vcpus'],
            'memory_mb': flavor['ram'],
            'disk_gb': (None if root is None or ephemeral is None
                        else root + ephemeral),
            'root_gb': root,
            'ephemeral_gb': ephemeral}


def _attribute(nova: ElementTree.Element, path: str,
               name: str) -> str | None:
    element = nova.find(path)
    return None if element is None else element.get(name)


def _number(nova: ElementTree.Element, path: str) -> int | None:
    text = (nova.findtext(path) or '').strip()
    return int(text) if text.isdecimal() else None
