# SPDX-License-Identifier: Apache-2.0
"""Samples from the versioned notifications of the compute service (Nova).

Of the payload, whose objects are each within a ``nova_object.data``, this
module reads:

``uuid``                   the instance
``tenant_id``              the project that owns it
``user_id``                who made it
``flavor.memory_mb``       memory, in MiB
``flavor.vcpus``           virtual CPUs
``flavor.root_gb``         root disk, in GiB
``flavor.ephemeral_gb``    ephemeral disk, in GiB
``flavor.flavorid``        id of the flavor
``flavor.name``            name of the flavor
``image_uuid``             image that it was made of
``display_name``           its name
``state``                  what it has come to
``created_at``             when it was asked for
``launched_at``            when it ran first
``deleted_at``             when it was deleted
``metadata``               what its owner said
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from moc_meter.agent.notification import message
from moc_meter.agent.notification.base import Notification
from moc_meter.model.sample import Sample

_UNSETTLED = ('instance.create.start', 'instance.update')
_FLAVOR = {'memory': ('MiB', 'memory_mb'), 'vcpus': ('vcpu', 'vcpus'),
           'disk.root.size': ('GiB', 'root_gb'),
           'disk.ephemeral.size': ('GiB', 'ephemeral_gb')}
_DESCRIPTION = ('display_name', 'state', 'launched_at', 'created_at',
                'deleted_at')


class VersionedInstanceMeters:
    """What an instance holds, whenever something happens to it.

    Nova may tell each thing in both forms: one of them is to be metered.
    """

    event_types = ('instance.*',)
    profile = 'versioned'
    instead_of = ('compute.instance', 'compute.carried')
    topics = ('versioned_notifications',)

    def samples(self, notification: Notification) -> Iterator[Sample]:
        if notification.event_type in _UNSETTLED:
            return
        instance = _fields(notification.payload)
        flavor = _fields(message.part(instance, 'flavor'))
        subject = message.Subject.of(
            notification, instance.get('uuid'),
            project_id=instance.get('tenant_id'),
            user_id=instance.get('user_id'),
            metadata={
                'instance_flavor_id': flavor.get('flavorid'),
                'instance_type': flavor.get('name'),
                'image_meta': {'base_image_ref': instance.get('image_uuid')},
                **message.described(notification, instance, _DESCRIPTION)})
        if subject is None:
            return
        for meter, (unit, field) in _FLAVOR.items():
            yield from subject.sample(meter, unit, flavor.get(field))


def _fields(versioned: Mapping[str, Any]) -> Mapping[str, Any]:
    """Those of an object, which travels with its name and version."""
    return message.part(versioned, 'nova_object.data')
