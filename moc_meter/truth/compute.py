# SPDX-License-Identifier: Apache-2.0
"""What Nova says of an instance, in the legacy form."""

from __future__ import annotations

from collections.abc import Iterator

from moc_meter.truth import calendar
from moc_meter.truth.course import Course, Event, flavor
from moc_meter.truth.forms import UNIT, Instant
from moc_meter.truth.notifications import (
    Figure,
    Subject,
    Teller,
    Told,
    audited,
    one,
)

_EVENT_TYPES = {
    'ask': 'create.start', 'create': 'create.end',
    'resize': 'finish_resize.end', 'stop': 'power_off.end',
    'start': 'power_on.end', 'shelve': 'shelve_offload.end',
    'unshelve': 'unshelve.end', 'reboot': 'reboot.end',
    'migrate': 'live_migration.post.dest.end', 'describe': 'update',
    'exists': 'exists', 'delete': 'delete.end'}
#: What is on its way, and what is said of it elsewhere, is not metered.
_UNMETERED = ('ask', 'describe')
_DESCRIBED = ('instance_flavor_id', 'instance_type', 'display_name',
              'image_meta', 'state', 'launched_at', 'created_at',
              'deleted_at')


def told(teller: Teller, course: Course) -> Iterator[Told]:
    """All notifications of one instance."""
    launched = course.events[1].at
    for event in audited(course, teller.frame.end):
        payload = _payload(course, event, launched)
        event_type = f'compute.instance.{_EVENT_TYPES[event.what]}'
        publisher = f'compute.{event.holder.host or "shelf"}'
        figures = ([] if event.what in _UNMETERED
                   else list(_figures(course, event, launched)))
        yield teller.told(
            event.at, event_type, payload, publisher,
            gives=[(_subject(course, event, payload), figures)])
        if event.what == 'resize' and event.at % 2:
            # Of another priority: tells of a fault, and is not metered.
            yield teller.told(event.at, 'compute.instance.resize.error',
                              payload, publisher, priority='ERROR')


def _figures(course: Course, event: Event,
             launched: Instant) -> Iterator[Figure]:
    of = flavor(event.holder)
    yield Figure('memory', 'MiB', of['ram'] * UNIT)
    yield Figure('vcpus', 'vcpu', of['vcpus'] * UNIT)
    yield Figure('disk.root.size', 'GiB', of['disk'] * UNIT)
    yield Figure('disk.ephemeral.size', 'GiB', of['ephemeral'] * UNIT)
    if event.what == 'create':
        yield Figure('compute.instance.booting.time', 'sec',
                     (launched - course.life.created) * 1000)
    yield one('instance', 'instance')
    yield one(f'instance:{of["name"]}', 'instance')


def _payload(course: Course, event: Event,
             launched: Instant) -> dict[str, object]:
    holder, of = event.holder, flavor(event.holder)
    is_over = event.what == 'delete'
    return {
        'instance_id': course.life.resource_id,
        'tenant_id': holder.project_id, 'user_id': holder.user_id,
        'display_name': holder.metadata['display_name'],
        'hostname': course.name, 'host': holder.host,
        'state': 'deleted' if is_over else holder.metadata['state'],
        'state_description': '', 'instance_type': of['name'],
        'instance_flavor_id': str(of['vcpus']), 'instance_type_id': 7,
        'memory_mb': of['ram'], 'vcpus': of['vcpus'], 'root_gb': of['disk'],
        'ephemeral_gb': of['ephemeral'],
        'disk_gb': of['disk'] + of['ephemeral'],
        'created_at': _time(course.life.created),
        'launched_at': '' if event.what == 'ask' else _time(launched),
        'deleted_at': _time(event.at) if is_over else '',
        'image_meta': {'base_image_ref': 'f0f1', 'min_ram': '512'},
        'availability_zone': None, 'os_type': None, 'architecture': 'x86_64',
        'fixed_ips': [{'address': '10.0.0.2', 'version': 4, 'meta': {}}],
        'metadata': {'metering.stage.now': 'live', 'other': 'x'}}


def _time(at: Instant) -> str:
    return f'{calendar.moment(at):%Y-%m-%d %H:%M:%S.%f}'


def _subject(course: Course, event: Event,
             payload: dict[str, object]) -> Subject:
    return Subject(
        course.life.resource_id, event.holder.project_id,
        event.holder.user_id,
        {**{name: payload[name] for name in _DESCRIBED},
         'user_metadata': {'stage_now': 'live'}})
