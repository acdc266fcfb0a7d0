# SPDX-License-Identifier: Apache-2.0
"""One scenario: what a cloud notifies, what is posted, what is asked."""

from __future__ import annotations

import json
from typing import Any

from moc_meter.tests.acceptance import captured

_MEMBER = {'X-Roles': 'member', 'X-Project-Id': 'p1', 'X-User-Id': 'u1'}


def notified() -> tuple[list[str], list[tuple[Any, ...]]]:
    """Lines for cloud.py, and the samples that come of them, spelled.

    Every captured notification of every service, with both drivers.
    """
    lines, samples = [], []
    for driver in ('messaging', 'messagingv2'):
        for one in captured.notifications():
            lines.append(json.dumps({'exchange': one.exchange,
                                     'driver': driver, 'message': one.flat}))
            samples += one.samples
    return lines, sorted(samples)


def _disk(at: str, volume: object, resource: str = 'a', **more: object
          ) -> dict[str, object]:
    return {'counter_name': 'disk.gb', 'counter_type': 'gauge',
            'counter_unit': 'GB', 'counter_volume': volume,
            'resource_id': resource, 'project_id': 'p1', 'user_id': 'u1',
            'timestamp': at, **more}


def _exact(number: int, volume: object, resource: str, **more: object
           ) -> dict[str, object]:
    return _disk(f'2024-02-29T23:59:{number:02}.000001', volume, resource,
                 **{'counter_name': 'exact', 'counter_type': 'delta',
                    'counter_unit': 'B', 'project_id': 'p2', **more})


_TABLE = [
    _disk('2024-03-01T10:00:00', 8, resource_metadata={
        'instance_type': 'small', 'flavor.ram': '512', 'name': 'a'}),
    _disk('2024-03-01T11:00:00', 2, resource_metadata={
        'instance_type': 'large', 'flavor.ram': '1024', 'name': 'a'}),
    _disk('2024-03-01T12:00:00', 5, 'b', user_id='u2', project_id='p2',
          resource_metadata={'instance_type': 'small', 'name': 'b'}),
    _disk('2024-03-01T13:00:00', 3, 'b', user_id='u2', project_id='p2'),
    _disk('2024-03-02T00:00:00.5', '0.000000001', 'c', counter_unit='MB',
          source='elsewhere', project_id=None, user_id=None),
]
_LAST_DIGITS = [
    *(_exact(number, '0.1', 'tenths') for number in range(10)),
    _exact(10, 2 ** 53 + 1, 'whole'), _exact(11, '9007199254740993', 'whole'),
    _exact(12, '0.000000001', 'nano'), _exact(13, '-0.000000001', 'nano'),
    _exact(14, '12345678901234567890.123456789', 'digits'),
    _exact(15, '12345678901234567889.987654321', 'digits'),
    *(_exact(20 + place, 1, resource) for place, resource in enumerate((
        'node', 'NODE', 'node ', 'no\u0308de', 'n\u00f6de', '\U0001f5a5 1',
        'a/b', '%41', "q'; --"))),
]

#: Path and samples, in the order in which they are posted.
POSTS: list[tuple[str, list[dict[str, object]]]] = [
    ('/v2/meters/disk.gb?direct=True', _TABLE),
    ('/v2/meters/exact', _LAST_DIGITS),
    ('/v2/meters/disk.gb?direct=True', _TABLE),     # again: nothing new
    ('/v2/meters/exact', _LAST_DIGITS[:3]),         # again, by the bus
    ('/v2/meters/vcpus?direct=True', [_disk(
        '2024-03-01T10:00:00', 4, counter_name='vcpus',
        counter_unit='vcpu')]),
    ('/v2/meters/disk.gb', [_disk('2024-03-01T10:00:00', 'NaN')]),
    ('/v2/meters/disk.gb', [_disk('yesterday', 1)]),
    ('/v2/meters/disk.gb', [_disk('9999-01-01T00:00:00', 1)]),
    ('/v2/meters/other', [_disk('2024-03-01T10:00:00', 1)]),
    ('/v2/meters/disk.gb', []),
]
#: Samples that these leave in the store.
POSTED = len(_TABLE) + len(_LAST_DIGITS) + 1

_DISK = '/v2/meters/disk.gb/statistics'
_EXACT = '/v2/meters/exact/statistics'
_INSTANCE = '9f9d01b9-4a58-4271-9e27-398b21ab20d1'
_ALL = '&'.join(f'aggregate.func={name}' for name in (
    'count', 'min', 'max', 'avg', 'sum', 'stddev'))
_DISTINCT = '&'.join(
    f'aggregate.func=cardinality&aggregate.param={name}' for name in (
        'resource_id', 'user_id', 'project_id', 'source'))


def rule(field: str, value: str, op: str = 'eq', kind: str = '') -> str:
    return (f'q.field={field}&q.op={op}&q.value={value}'
            f'&q.type={kind}')


_DAY = '&'.join((rule('timestamp', '2024-03-01T00:00:00', 'ge'),
                 rule('timestamp', '2024-03-02T00:00:00', 'lt')))

#: The status that the answer must have, and the question. ID stands for the
#: id that the first posted sample was given.
ASKED: list[tuple[int, str]] = [
    (200, '/'),
    (200, '/v2/meters'),
    (200, '/v2/meters?limit=1000'),
    (200, '/v2/meters?unique=True'),
    (200, '/v2/meters?unique=True&limit=7'),
    (200, '/v2/meters?' + rule('resource', _INSTANCE)),
    (200, '/v2/meters?' + rule('project_id', 'p1')),
    (200, '/v2/meters?' + rule('user', 'None')),
    (200, '/v2/meters?' + rule('source', 'p1:openstack')),
    (200, '/v2/meters?' + rule('metadata.instance_type', 'small')),
    (400, '/v2/meters?' + rule('timestamp', '2024-03-01', 'ge')),
    (400, '/v2/meters?limit=0'),
    (400, '/v2/meters?colour=red'),
    (200, '/v2/resources'),
    (200, '/v2/resources?limit=1000'),
    (200, '/v2/resources?limit=1000&meter_links=0'),
    (200, '/v2/resources?' + rule('project', 'p2')),
    (200, '/v2/resources?' + _DAY),
    (200, '/v2/resources?' + rule('metadata.flavor.ram', '512')),
    (200, '/v2/resources?' + rule('metadata.name', 'nobody')),
    (200, f'/v2/resources/{_INSTANCE}'),
    (200, '/v2/resources/%F0%9F%96%A5%201'),
    (200, '/v2/resources/a%2Fb'),
    (404, '/v2/resources/nothing'),
    (200, '/v2/samples'),
    (200, '/v2/samples?limit=1000'),
    (200, '/v2/samples?limit=3&' + rule('meter', 'image.size')),
    (200, '/v2/samples?' + rule('resource', 'node')),
    (200, '/v2/samples?' + rule('resource', 'node%20')),
    (200, '/v2/samples?' + rule('resource', 'NODE')),
    (200, '/v2/samples?' + rule('resource', 'n%C3%B6de')),
    (200, '/v2/samples?' + rule('message_id', 'ID')),
    (200, '/v2/samples?' + _DAY + '&' + rule('metadata.name', 'a')),
    (400, '/v2/samples?' + rule('volume', '3')),
    (200, '/v2/samples/ID'),
    (404, '/v2/samples/nothing'),
    (200, '/v2/meters/vcpus?limit=1000'),
    (200, '/v2/meters/volume.size?limit=5'),
    (200, '/v2/meters/bandwidth'),
    (200, '/v2/meters/exact?limit=50'),
    (200, '/v2/meters/no.such.meter'),
    (200, '/v2/meters/disk.gb?' + rule('metadata.flavor.ram', '512', 'eq',
                                        'string')),
    (400, '/v2/meters/disk.gb?' + rule('timestamp', 'soon', 'ge')),
    (200, _DISK),
    (200, f'{_DISK}?{_DAY}'),
    (200, f'{_DISK}?{_DAY}&period=7200'),
    (200, f'{_DISK}?period=3600'),
    (200, f'{_DISK}?period=86400&groupby=resource_id'),
    (200, f'{_DISK}?groupby=project_id&groupby=user_id'),
    (200, f'{_DISK}?groupby=source'),
    (200, f'{_DISK}?groupby=metadata.instance_type'),
    (200, f'{_DISK}?{_ALL}'),
    (200, f'{_DISK}?{_DISTINCT}'),
    (200, f'{_DISK}?{_DISTINCT}&{_ALL}&period=5000&groupby=resource_id'),
    (200, f'{_DISK}?' + rule('metadata.instance_type', 'small')),
    (200, f'{_DISK}?' + rule('timestamp', '2024-03-01T10:30:00', 'gt')),
    (200, f'{_DISK}?' + rule('timestamp', '2024-03-01T11:00:00', 'le')),
    (200, f'{_DISK}?{_DAY}&' + rule('search_offset', '60')),
    (400, f'{_DISK}?period=-1'),
    (400, f'{_DISK}?groupby=volume'),
    (400, f'{_DISK}?aggregate.func=median'),
    (200, _EXACT),
    (200, f'{_EXACT}?groupby=resource_id'),
    (200, f'{_EXACT}?groupby=resource_id&{_ALL}'),
    (200, f'{_EXACT}?period=7'),
    (200, '/v2/meters/vcpus/statistics?period=1&' + _ALL),
    (200, '/v2/meters/vcpus/statistics?groupby=project_id'),
    (200, '/v2/meters/instance/statistics?groupby=resource_id'),
    (200, '/v2/meters/image.size/statistics?' + _ALL),
    (200, '/v2/meters/compute.node.cpu.percent/statistics?' + _ALL),
    (200, '/v2/meters/no.such.meter/statistics'),
    (404, '/v2/nothing'),
]
#: Asked with headers: those of a caller who sees one project, and another
#: representation.
ASKED_WITH: list[tuple[int, str, dict[str, str]]] = [
    (200, '/v2/meters', _MEMBER),
    (200, '/v2/samples', _MEMBER),
    (200, _DISK, _MEMBER),
    (401, '/v2/samples?' + rule('project', 'p2'), _MEMBER),
    (200, '/v2/samples', {'Accept': 'application/xml'}),
    (200, _DISK, {'Accept': 'application/xml'}),
]
