# SPDX-License-Identifier: Apache-2.0
"""What Neutron says of networks and what belongs to them.

The context names who asked, who is the user; the project is the owner that
the resource names, and only where it names none that of the context. Of a
deletion nothing is metered: it tells an id alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from moc_meter.truth.course import Course
from moc_meter.truth.forms import Instant
from moc_meter.truth.notifications import (
    ADMIN,
    Subject,
    Teller,
    Told,
    audited,
    one,
)

_METERS = {'network': ('network', 'network'), 'subnet': ('subnet', 'subnet'),
           'port': ('port', 'port'), 'router': ('router', 'router'),
           'floatingip': ('ip.floating', 'ip')}
_PUBLISHER = 'network.controller-1'
_ADMIN_USER = str(ADMIN['_context_user_id'])
_ADMIN_PROJECT = str(ADMIN['_context_project_id'])


def network(teller: Teller, course: Course) -> Iterator[Told]:
    """All notifications of one network, with its subnet and its router."""
    bulk = int(course.life.resource_id.encode().hex()[-1], 16) % 2 == 0
    for event in audited(course, teller.frame.end):
        of = _resource(course, event.holder.project_id)
        of |= {'router:external': False, 'shared': False, 'subnets': []}
        yield from _deeds(teller, event.at, event.what, 'network', of,
                          bulk=bulk)
        if event.what == 'create':
            for kind in ('subnet', 'router'):
                part = {**of, 'id': f'{course.life.resource_id}-{kind}'}
                yield from _deeds(teller, event.at, 'create', kind, part)


def floating(teller: Teller, course: Course) -> Iterator[Told]:
    """All notifications of one floating address."""
    for event in audited(course, teller.frame.end):
        of = _resource(course, event.holder.project_id)
        of |= {'floating_ip_address':
               event.holder.metadata['floating_ip_address'],
               'port_id': None, 'router_id': None}
        yield from _deeds(teller, event.at, event.what, 'floatingip', of)


def port(teller: Teller, course: Course) -> Iterator[Told]:
    """What is said of the port of an instance when that is born and dies."""
    for event in course.events:
        if event.what in ('create', 'delete'):
            of = {'id': f'port-{course.life.resource_id}',
                  'device_id': course.life.resource_id, 'status': 'ACTIVE',
                  # As it is called today.
                  'project_id': event.holder.project_id,
                  'mac_address': 'fa:16:3e:75:0c:49'}
            yield from _deeds(teller, event.at, event.what, 'port', of)


def _resource(course: Course, project: str) -> dict[str, Any]:
    return {'id': course.life.resource_id, 'tenant_id': project,
            'name': 'a net', 'status': 'ACTIVE', 'admin_state_up': True}


def _deeds(teller: Teller, at: Instant, what: str, kind: str,
           of: Mapping[str, Any], *, bulk: bool = False) -> Iterator[Told]:
    if what == 'delete':
        yield teller.told(at, f'{kind}.delete.end', {f'{kind}_id': of['id']},
                          _PUBLISHER)
    elif what == 'exists':
        yield _metered(teller, at, f'{kind}.exists', {kind: of}, of)
    elif what == 'create':
        payload = {f'{kind}s': [of]} if bulk else {kind: of}
        yield _metered(teller, at, f'{kind}.create.end', payload, of,
                       'create')
    else:
        # Its beginning says what is to change, and no owner.
        change = {'name': 'a new name'}
        yield _metered(teller, at, f'{kind}.update.start',
                       {'id': of['id'], kind: change},
                       {'id': of['id'], **change}, 'update')
        yield _metered(teller, at, f'{kind}.update.end', {kind: of}, of,
                       'update')


def _metered(teller: Teller, at: Instant, event_type: str,
             payload: Mapping[str, Any], of: Mapping[str, Any],
             deed: str | None = None) -> Told:
    meter, unit = _METERS[event_type.partition('.')[0]]
    figures = [one(meter, unit)]
    if deed:
        figures.append(one(f'{meter}.{deed}', unit, 'delta'))
    project = of.get('tenant_id') or of.get('project_id') or _ADMIN_PROJECT
    return teller.told(
        at, event_type, payload, _PUBLISHER,
        gives=[(Subject(of['id'], project, _ADMIN_USER, of), figures)])
