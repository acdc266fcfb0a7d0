# SPDX-License-Identifier: Apache-2.0
"""Making the API for tests, and what tests say to it."""

from __future__ import annotations

import contextlib
import datetime
import urllib.parse
from collections.abc import Iterator, Sequence
from typing import Any

import webtest

from moc_meter import errors
from moc_meter.api import identity, policy
from moc_meter.api.app import make_app
from moc_meter.api.v1.components import Components
from moc_meter.messaging import codec
from moc_meter.model import meter
from moc_meter.model.admission import Admission
from moc_meter.model.sample import Sample
from moc_meter.storage.samples.base import SampleStore
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.tests.stores import migrated

NOW = datetime.datetime(2026, 3, 2, 9, 30, tzinfo=datetime.UTC)
MEMBER = {'X-Roles': 'member', 'X-Project-Id': 'p1', 'X-User-Id': 'u1'}
NO_METERS = meter.Definitions([])


class Outbox:
    """A bus that keeps what it was sent; ``away`` where it is not there."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.away = False

    def send(self, message: bytes) -> None:
        self.check()
        self.messages.append(message)

    def check(self) -> None:
        if self.away:
            raise errors.BusUnavailable('the bus is away')

    def close(self) -> None:
        pass

    @property
    def samples(self) -> list[Sample]:
        return [sample for message in self.messages
                for sample in codec.decode(message).samples]


@contextlib.contextmanager
def store(url: str) -> Iterator[SampleStore]:
    """A store in an empty database."""
    with migrated(url) as engine:
        yield SqlSampleStore(engine)


def client(store: SampleStore, outbox: Outbox | None = None,
           **values: Any) -> Any:
    """A client of the API; its clock stands at NOW, unless told so."""
    values = {'clock': lambda: NOW,
              'admission': Admission(definitions=NO_METERS),
              'identity': identity.noauth, 'policy': unchanged_policy(),
              'components': Components(NO_METERS, ()),
              **values}
    return webtest.TestApp(make_app(
        store=store, sender=outbox or Outbox(), **values))


def unchanged_policy(domains: policy.Domains = policy.no_domains
                     ) -> policy.Policy:
    """The built-in rules."""
    return policy.Policy(policy.enforcer(None), domains)


def posted(**changes: object) -> dict[str, object]:
    """A sample in the form in which it is posted; None leaves a field out."""
    fields = {'counter_name': 'disk.gb', 'counter_type': 'gauge',
              'counter_unit': 'GB', 'counter_volume': 8, 'resource_id': 'a',
              'project_id': 'p1', 'user_id': 'u1',
              'timestamp': '2026-03-01T10:00:00', **changes}
    return {name: value for name, value in fields.items()
            if value is not None}


def keep(api: Any, samples: Sequence[dict[str, object]]) -> None:
    """Store samples of any meters by the API itself."""
    for name in {str(sample['counter_name']) for sample in samples}:
        api.post_json(f'/v2/meters/{urllib.parse.quote(name)}?direct=True', [
            sample for sample in samples if sample['counter_name'] == name])


def table() -> list[dict[str, object]]:
    """The worked example: four samples of disk.gb of project p1."""
    return [posted(timestamp=f'2026-03-01T{hour}:00', resource_id=resource,
                   user_id=user, counter_volume=volume)
            for hour, resource, user, volume in (
                (10, 'a', 'u1', 8), (11, 'a', 'u2', 2),
                (12, 'b', 'u2', 5), (13, 'b', 'u2', 3))]


def complaint(answer: Any) -> str:
    """What a refusal says; its shape is checked by the way."""
    said = answer.json['error_message']
    assert set(said) == {'faultcode', 'faultstring', 'debuginfo'}
    assert said['debuginfo'] is None
    assert said['faultcode'] == ('Server' if answer.status_int >= 500
                                 else 'Client')
    text: str = said['faultstring']
    return text


def between(start: str, end: str) -> str:
    """The rules of a half-open range of 1 March."""
    return (f'q.field=timestamp&q.op=ge&q.value=2026-03-01T{start}'
            f'&q.field=timestamp&q.op=lt&q.value=2026-03-01T{end}')


def figures(api: Any, query: str, *names: str) -> list[tuple[Any, ...]]:
    """Some fields of each row of statistics of disk.gb."""
    return [tuple(row[name] for name in names)
            for row in api.get(f'/v2/meters/disk.gb/statistics?{query}').json]
