# SPDX-License-Identifier: Apache-2.0
"""What Cinder says of volumes and snapshots, and Glance of images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from moc_meter.truth.course import Course, Event
from moc_meter.truth.forms import UNIT
from moc_meter.truth.notifications import (
    Figure,
    Subject,
    Teller,
    Told,
    audited,
    one,
)

#: What is said of a deed, in this order.
_VOLUME = {'create': ('create.start', 'create.end'),
           'resize': ('resize.start', 'resize.end'),
           'transfer': ('transfer.accept.end', 'update.end'),
           'exists': ('exists',), 'delete': ('delete.start', 'delete.end')}
_SNAPSHOT = {'create': ('create.end',), 'update': ('update.end',),
             'exists': ('exists',), 'delete': ('delete.end',)}
_IMAGE = {'create': ('create', 'upload'), 'update': ('update',),
          'delete': ('delete',)}
#: Of these nothing is metered, whatever they tell.
_UNMETERED = ('volume.transfer.accept.end', 'snapshot.update.end',
              'image.create')


def volume(teller: Teller, course: Course) -> Iterator[Told]:
    """All notifications of one volume."""
    for event in audited(course, teller.frame.end):
        said: Any = event.holder.metadata
        payload = {**_owned(event), 'volume_id': course.life.resource_id,
                   'size': said['size'], 'volume_type': said['volume_type'],
                   'display_name': said['display_name'],
                   'status': said['status'], 'snapshot_id': None,
                   'availability_zone': said['availability_zone'],
                   'volume_attachment': [], 'metadata': []}
        metadata = {name: payload[name] for name in (
            'display_name', 'volume_type', 'status', 'availability_zone')}
        if said['size'] % 2:
            payload['volume_attachment'] = [{'server_id': 'vm-7'}]
            metadata['instance_id'] = 'vm-7'
        yield from _each(teller, event, 'volume', _VOLUME, payload, (
            _subject(course, event, metadata),
            [Figure('volume.size', 'GiB', said['size'] * UNIT),
             one('volume', 'volume')]))


def snapshot(teller: Teller, course: Course) -> Iterator[Told]:
    """All notifications of one snapshot; its size is that of its volume."""
    for event in audited(course, teller.frame.end):
        said: Any = event.holder.metadata
        payload = {**_owned(event), 'snapshot_id': course.life.resource_id,
                   'volume_size': said['size'],
                   'volume_id': said['volume_id'], 'metadata': '',
                   'display_name': said['display_name'],
                   'status': said['status']}
        metadata = {name: payload[name] for name in (
            'display_name', 'volume_id', 'status')}
        yield from _each(
            teller, event, 'snapshot', _SNAPSHOT, payload, (
                _subject(course, event, metadata),
                [Figure('snapshot.size', 'GiB', said['size'] * UNIT),
                 one('snapshot', 'snapshot')]))


def image(teller: Teller, course: Course) -> Iterator[Told]:
    """All notifications of one image; nobody is its user."""
    for event in course.events:
        said: Any = event.holder.metadata
        metadata = {'name': said['display_name'], 'status': 'active',
                    'disk_format': 'qcow2', 'container_format': 'bare',
                    'min_disk': 0, 'min_ram': 0, 'size': said['size'],
                    'properties': said['properties'], 'deleted_at': None}
        payload = {**metadata, 'id': course.life.resource_id,
                   'owner': event.holder.project_id, 'is_public': False}
        subject = Subject(course.life.resource_id, event.holder.project_id,
                          None, metadata)
        for deed in _IMAGE[event.what]:
            event_type = f'image.{deed}'
            figures = [Figure('image.size', 'B', said['size'] * UNIT),
                       one('image', 'image'), one(event_type, 'image',
                                                  'delta')]
            yield teller.told(
                event.at, event_type, payload, 'image.glance-1',
                gives=([] if event_type in _UNMETERED
                       else [(subject, figures)]))
        if event.what == 'update':
            yield _sent(teller, course, event, said['size'])


def _sent(teller: Teller, course: Course, event: Event, size: int) -> Told:
    """The image was sent: its receiver and its owner both are metered."""
    holder = event.holder
    payload = {'image_id': course.life.resource_id, 'bytes_sent': size,
               'owner_id': holder.project_id, 'receiver_user_id': 'guest',
               'receiver_tenant_id': 'visitors', 'destination_ip': '1.2.3.4'}
    metadata = {'destination_ip': '1.2.3.4'}
    return teller.told(
        event.at, 'image.send', payload, 'image.glance-1', gives=[
            (Subject(course.life.resource_id, 'visitors', 'guest', metadata),
             [Figure('image.download', 'B', size * UNIT, 'delta')]),
            (Subject(course.life.resource_id, holder.project_id, None,
                     metadata),
             [Figure('image.serve', 'B', size * UNIT, 'delta')])])


def _owned(event: Event) -> dict[str, Any]:
    return {'tenant_id': event.holder.project_id,
            'user_id': event.holder.user_id}


def _subject(course: Course, event: Event,
             metadata: dict[str, Any]) -> Subject:
    return Subject(course.life.resource_id, event.holder.project_id,
                   event.holder.user_id, metadata)


def _each(teller: Teller, event: Event, kind: str,
          deeds: Mapping[str, tuple[str, ...]], payload: dict[str, Any],
          gives: tuple[Subject, list[Figure]]) -> Iterator[Told]:
    for deed in deeds[event.what]:
        event_type = f'{kind}.{deed}'
        yield teller.told(
            event.at, event_type, payload, f'{kind}.store-1@ceph#ceph',
            gives=[] if event_type in _UNMETERED else [gives])
