# SPDX-License-Identifier: Apache-2.0
"""Lists of samples, meters and resources, as the API defines them.

Of samples at one instant nobody knows from the outside which was recorded
first: where that matters, each of them is accepted.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib import parse as urls

from moc_meter.truth import compare, instants, metadata
from moc_meter.truth.compare import Difference, Entry, Fields, Identity
from moc_meter.truth.forms import Sample
from moc_meter.truth.questions import DEFAULT_LIMIT, Question
from moc_meter.truth.selection import Selection

#: The most that is kept for a question without a limit.
_LONGEST = 10_000
#: The meters of each resource.
Links = dict[str, set[str]]


def sample_fields(sample: Sample) -> Fields:
    """A sample, as /v2/samples shows it."""
    return {'id': sample.message_id, 'meter': sample.meter,
            'type': sample.kind, 'unit': sample.unit,
            'volume': sample.exact, 'user_id': sample.user_id,
            'project_id': sample.project_id,
            'resource_id': sample.resource_id, 'source': sample.source,
            'timestamp': instants.show(sample.timestamp),
            'metadata': metadata.flattened(sample.metadata)}


#: How /v2/meters/{name} names what /v2/samples names otherwise.
_OLD = {'id': 'message_id', 'meter': 'counter_name', 'type': 'counter_type',
        'unit': 'counter_unit', 'volume': 'counter_volume',
        'metadata': 'resource_metadata'}


def old_sample_fields(sample: Sample) -> Fields:
    """A sample, as /v2/meters/{name} shows it."""
    return {_OLD.get(name, name): value
            for name, value in sample_fields(sample).items()}


class _List:
    """An answer that is a list, cut to a limit."""

    def __init__(self, question: Question, chosen: Selection) -> None:
        self.selection = chosen
        self._question = question
        self._limit = (_LONGEST if question.limit is None
                       else question.limit)

    def entries(self) -> list[Entry]:
        """In order; those behind the limit may be among them."""
        raise NotImplementedError

    def identify(self, item: Any) -> Identity:
        """What tells an item of the answer from the others."""
        raise NotImplementedError

    def shown(self) -> object:
        limit = self._question.limit or DEFAULT_LIMIT
        return [entry.accepted[0] for entry in self.entries()[:limit]]

    def differences(self, status: int, got: object) -> list[Difference]:
        if status != 200:
            return [_status(status, 200)]
        entries, limit = self.entries(), self._limit
        if self._question.limit is None and isinstance(got, list):
            # What an installation cuts such a list to is its own choice:
            # any beginning of the truth will do that has as many as it has
            # where nobody has chosen. One that has chosen fewer is not told
            # from one that lost some.
            limit = min(max(DEFAULT_LIMIT, len(got)), _LONGEST)
        if limit < len(entries):
            last = entries[limit - 1].order
            entries = [entry for entry in entries if entry.order <= last]
        return compare.lists(got, entries, limit, self.identify)


class Samples(_List):
    """Samples, newest first."""

    def __init__(self, question: Question, chosen: Selection,
                 fields: Callable[[Sample], Fields]) -> None:
        super().__init__(question, chosen)
        self._fields = fields
        self._kept: list[Sample] = []

    def take(self, sample: Sample) -> None:
        self._kept.append(sample)
        if len(self._kept) > 2 * self._limit + 1000:
            self._cut()

    def _cut(self) -> None:
        self._kept.sort(key=_newest_first)
        if len(self._kept) > self._limit:
            last = self._kept[self._limit - 1].timestamp
            self._kept = [sample for sample in self._kept
                          if sample.timestamp >= last]

    def entries(self) -> list[Entry]:
        self._cut()
        return [Entry(('sample', sample.message_id), -sample.timestamp,
                      [self._fields(sample)]) for sample in self._kept]

    def identify(self, item: Any) -> Identity:
        return ('sample', compare.said(item, 'id')
                or compare.said(item, 'message_id'))


class OneSample(Samples):
    """A sample by its id."""

    def shown(self) -> object:
        self._cut()
        return self._fields(self._kept[0]) if self._kept else None

    def differences(self, status: int, got: object) -> list[Difference]:
        return _one(f'sample {self._question.name}', status, got,
                    [self._fields(sample) for sample in self._kept[:1]])


def _newest_first(sample: Sample) -> int:
    return -sample.timestamp


class _Newest:
    """The newest samples of something; what one of them says is right."""

    def __init__(self, sample: Sample) -> None:
        self.first = self.last = sample.timestamp
        self.samples: list[Sample] = []

    def take(self, sample: Sample) -> None:
        self.first = min(self.first, sample.timestamp)
        if sample.timestamp > self.last:
            self.last = sample.timestamp
            self.samples.clear()
        if sample.timestamp == self.last:
            self.samples.append(sample)


class Meters(_List):
    """Meters, by name and resource."""

    def __init__(self, question: Question, chosen: Selection) -> None:
        super().__init__(question, chosen)
        self._seen: dict[tuple[str, str, str, str | None], _Newest] = {}

    def take(self, sample: Sample) -> None:
        resource = None if self._question.unique else sample.resource_id
        key = (sample.meter, sample.kind, sample.unit, resource)
        if (newest := self._seen.get(key)) is None:
            newest = self._seen[key] = _Newest(sample)
        newest.take(sample)

    def entries(self) -> list[Entry]:
        return sorted((self._entry(*key, newest.samples)
                       for key, newest in self._seen.items()), key=_order)

    @staticmethod
    def _entry(name: str, kind: str, unit: str, resource: str | None,
               newest: Sequence[Sample]) -> Entry:
        meter_id = base64.b64encode(f'{resource}+{name}'.encode()).decode()
        return Entry(
            ('meter', name, kind, unit, resource), (name, resource or ''),
            [{'name': name, 'type': kind, 'unit': unit,
              'resource_id': resource, 'meter_id': meter_id,
              **{whose: None if resource is None else getattr(sample, whose)
                 for whose in ('project_id', 'user_id', 'source')}}
             for sample in newest])

    def identify(self, item: Any) -> Identity:
        return ('meter', *(compare.said(item, name) for name in
                           ('name', 'type', 'unit', 'resource_id')))


def _order(entry: Entry) -> Any:
    return entry.order


class Resources(_List):
    """Resources, by id.

    links: the meters of each resource, of all of its samples.
    """

    def __init__(self, question: Question, chosen: Selection) -> None:
        super().__init__(question, chosen)
        self.links: Links = {}
        self._seen: dict[str, _Newest] = {}

    def take(self, sample: Sample) -> None:
        if (newest := self._seen.get(sample.resource_id)) is None:
            newest = self._seen[sample.resource_id] = _Newest(sample)
        newest.take(sample)

    def entries(self) -> list[Entry]:
        return [Entry(('resource', resource), resource,
                      [self._fields(newest, sample)
                       for sample in newest.samples])
                for resource, newest in sorted(self._seen.items())]

    def _fields(self, newest: _Newest, sample: Sample) -> Fields:
        return {
            'resource_id': sample.resource_id, 'source': sample.source,
            'project_id': sample.project_id, 'user_id': sample.user_id,
            'first_sample_timestamp': instants.show(newest.first),
            'last_sample_timestamp': instants.show(newest.last),
            'metadata': metadata.flattened(sample.metadata),
            'links': self._linked(sample.resource_id)}

    def _linked(self, resource: str) -> list[str]:
        links = [f'self /v2/resources/{resource}']
        if self._question.meter_links != 0:
            links += [f'{meter} /v2/meters/{meter}'
                      f'?q.field=resource_id&q.value={resource}'
                      for meter in sorted(self.links.get(resource, ()))]
        return links

    def identify(self, item: Any) -> Identity:
        return ('resource', compare.said(item, 'resource_id'))

    def differences(self, status: int, got: object) -> list[Difference]:
        if isinstance(got, list):
            got = [_plain(item) for item in got]
        return super().differences(status, got)


class OneResource(Resources):
    """A resource by its id."""

    def shown(self) -> object:
        return next((entry.accepted[0] for entry in self.entries()), None)

    def differences(self, status: int, got: object) -> list[Difference]:
        accepted = [fields for entry in self.entries()
                    for fields in entry.accepted]
        return _one(f'resource {self._question.name}', status, _plain(got),
                    accepted)


def _plain(resource: Any) -> Any:
    """A resource, its links as 'rel path', no matter how they are encoded.

    Where the service is reached from outside is not looked at.
    """
    if not isinstance(resource, Mapping) or not isinstance(
            links := resource.get('links'), list):
        return resource
    return {**resource, 'links': [
        f"{compare.said(link, 'rel')} /v2/" + urls.unquote(
            str(compare.said(link, 'href'))).partition('/v2/')[2]
        for link in links]}


def _one(where: str, status: int, got: object, accepted: Sequence[Fields]
         ) -> list[Difference]:
    want = 200 if accepted else 404
    if status != want:
        return [_status(status, want)]
    return compare.fields(where, got, accepted) if accepted else []


def _status(got: int, want: int) -> Difference:
    return Difference(where='answer', field='status', got=got, want=want)
