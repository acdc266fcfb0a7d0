# SPDX-License-Identifier: Apache-2.0
"""Every question that the API answers, as a method."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Self, TypedDict, TypeVar, Unpack
from urllib.parse import quote

from moc_meter import errors
from moc_meter.client import answers, models, pages, said
from moc_meter.client.connection import Connection, Query
from moc_meter.client.filters import Filters, instant, rules
from moc_meter.model.sample import Sample as Measured

_T = TypeVar('_T')
#: Samples of one request to /v2/ingest.
BATCH = 100


class Narrowing(TypedDict, total=False):
    """What ids and figures are narrowed by; start <= t < end, both aware."""

    start: datetime.datetime
    end: datetime.datetime
    user: str
    project: str
    source: str
    resource: str


class Client:
    """A service, asked through a connection. May be used by several threads.

    Lists are iterators: they ask for a page when they come to it. Filters
    are Filter objects, or text: 'project=p1;timestamp>=2026-03-01'. Every
    method raises a ClientFault where the service refuses or does not answer.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def meters(self, filters: Filters = (), *, unique: bool = False,
               limit: int | None = None) -> Iterator[models.Meter]:
        """Every meter with a selected sample, by name and resource.

        unique: each meter once, whatever its resource.
        """
        return self._list('/v2/meters', _of(models.Meter), limit, [
            *_rules(filters), *([('unique', 'True')] if unique else ())])

    def samples(self, filters: Filters = (), *, meter: str | None = None,
                limit: int | None = None) -> Iterator[models.Sample]:
        """The selected samples, newest first."""
        named = [('q.field', 'meter'), ('q.op', 'eq'), ('q.value', meter),
                 ('q.type', '')] if meter is not None else []
        return self._list('/v2/samples', _of(models.Sample), limit,
                          [*named, *_rules(filters)])

    def sample(self, sample_id: str) -> models.Sample:
        """One sample, by the id of its message."""
        return self._get(_of(models.Sample), f'/v2/samples/{_part(sample_id)}')

    def query_samples(
            self, filter: object = None,  # noqa: A002 - as the API names it
            orderby: object = None, limit: int | None = None
            ) -> Iterator[models.Sample]:
        """The samples of which an expression is true.

        filter: such as {'and': [{'=': {'meter': 'cpu'}}, {'>': {'volume':
            2}}]}, or JSON that says it; all without one. Numbers may be
            Decimal, instants datetime.
        orderby: such as [{'volume': 'asc'}], or JSON.
        """
        asked = {name: value if isinstance(value, str) else said.json(value)
                 for name, value in (('filter', filter), ('orderby', orderby))
                 if value is not None}

        def ask(marker: str | None, wanted: int) -> answers.Answer:
            return self.connection.ask(
                'POST', '/v2/query/samples', _marked(marker),
                said.json({**asked, 'limit': wanted}).encode())

        return pages.items(ask, _of(models.Sample), limit)

    def resources(self, filters: Filters = (), *, links: bool = True,
                  limit: int | None = None) -> Iterator[models.Resource]:
        """Every resource with a selected sample, by id.

        links: whether each has links to its meters.
        """
        return self._list('/v2/resources', _of(models.Resource), limit, [
            *_rules(filters), *([] if links else [('meter_links', '0')])])

    def resource(self, resource_id: str,
                 at: datetime.datetime | None = None) -> models.Resource:
        """One resource, as it is now or was at an instant."""
        return self._get(
            _of(models.Resource), f'/v2/resources/{_part(resource_id)}',
            [('at', instant(at))] if at else ())

    def history(self, resource_id: str, *, limit: int | None = None
                ) -> Iterator[models.ResourceState]:
        """What was said of a resource, one state after the other."""
        return self._list(f'/v2/resources/{_part(resource_id)}/history',
                          _of(models.ResourceState), limit)

    def statistics(self, meter: str, filters: Filters = (), *,
                   period: int | None = None, groupby: Sequence[str] = (),
                   aggregates: Sequence[str] = ()) -> list[models.Statistics]:
        """One row a unit, group and period that has samples.

        period: seconds of a row; one row for all without it.
        groupby: 'project_id', 'user_id', 'resource_id', 'source', or metadata
            as far as the service allows: 'metadata.instance_type'.
        aggregates: 'max', 'stddev', 'cardinality/resource_id' and so on,
            instead of the five that every row has.
        """
        asked = [*_rules(filters), *(('groupby', name) for name in groupby)]
        if period is not None:
            asked.append(('period', str(period)))
        for function, _, param in (one.partition('/') for one in aggregates):
            asked += [('aggregate.func', function), ('aggregate.param', param)]
        return self._get(_each(models.Statistics),
                         f'/v2/meters/{_part(meter)}/statistics', asked)

    def events(self, filters: Filters = (), *, limit: int | None = None
               ) -> Iterator[models.Event]:
        """The selected events, oldest first."""
        return self._list('/v2/events', _of(models.Event), limit,
                          _rules(filters))

    def event(self, message_id: str) -> models.Event:
        """One event, by the id of its message."""
        return self._get(_of(models.Event), f'/v2/events/{_part(message_id)}')

    def event_types(self) -> list[str]:
        """The types of all events; for administrators."""
        return self._get(_texts, '/v2/event_types')

    def traits(self, event_type: str) -> list[models.TraitDescription]:
        """What events of a type say; for administrators."""
        return self._get(_each(models.TraitDescription),
                         f'/v2/event_types/{_part(event_type)}/traits')

    def trait_values(self, event_type: str, trait: str) -> list[models.Trait]:
        """A trait of each event of a type; for administrators."""
        return self._get(
            _each(models.Trait),
            f'/v2/event_types/{_part(event_type)}/traits/{_part(trait)}')

    def users(self, **narrowing: Unpack[Narrowing]) -> list[str]:
        """The ids of users, ascending."""
        return self._ids('users', narrowing)

    def projects(self, **narrowing: Unpack[Narrowing]) -> list[str]:
        """The ids of projects, ascending."""
        return self._ids('projects', narrowing)

    def sources(self, **narrowing: Unpack[Narrowing]) -> list[str]:
        """The sources, ascending."""
        return self._ids('sources', narrowing)

    def resource_ids(self, **narrowing: Unpack[Narrowing]) -> list[str]:
        """The ids of resources, ascending."""
        return self._ids('resources', narrowing)

    def components(self, **narrowing: Unpack[Narrowing]) -> list[str]:
        """The components whose meters occur."""
        return self._ids('components', narrowing)

    def meter_names(self, component: str | None = None,
                    **narrowing: Unpack[Narrowing]) -> list[models.MeterName]:
        """The meters, by name; of one component, or of all."""
        path = (f'/v1/components/{_part(component)}/meters'
                if component is not None else '/v1/meters')
        return self._get(_each(models.MeterName, 'meters'), path,
                         _narrowed(narrowing))

    def scope(self, noun: str, name: str) -> Scope:
        """What belongs to one user, project, source or resource.

        noun: 'users', 'projects', 'sources' or 'resources'.
        """
        return Scope(self, f'/v1/{_part(noun)}/{_part(name)}')

    def capabilities(self) -> models.Capabilities:
        """What the service can do."""
        return self._get(_of(models.Capabilities), '/v2/capabilities')

    def versions(self) -> list[models.Version]:
        """The versions of the API."""
        return self._get(
            lambda document: _each(models.Version)(
                document['versions']['values']), '/')

    def ingest(self, samples: Iterable[Measured]) -> list[models.Outcome]:
        """Store samples of any meters, with an answer for each.

        What is answered 'stored' or 'duplicate' is durable. It may be sent
        again: the ids of the samples see that none is doubled. Make samples
        by measured().
        """
        left, outcomes = iter(samples), list[models.Outcome]()
        while batch := [*islice(left, BATCH)]:
            answer = self.connection.ask(
                'POST', '/v2/ingest', body=said.json(
                    [said.ingested(one) for one in batch]).encode())
            outcomes += answers.made(answer, _each(models.Outcome))
        return outcomes

    def post(self, samples: Iterable[Measured], *, direct: bool = False
             ) -> list[models.Sample]:
        """Hand over samples of one meter, all or none; as they were taken.

        The service gives them other ids; where the answer is lost nobody
        knows whether they were taken, so it is not sent again. ingest() is
        better where it is there.
        direct: whether they are stored when the answer comes.
        """
        posted = [said.posted(one) for one in samples]
        names = {str(one['counter_name']) for one in posted}
        if len(names) != 1:
            raise ValueError(f'samples of one meter, not of {sorted(names)}')
        answer = self.connection.ask(
            'POST', f'/v2/meters/{_part(names.pop())}',
            [('direct', 'True')] if direct else (),
            said.json(posted).encode(), again=False)
        return answers.made(answer, lambda document: [
            models.read_old(one) for one in document])

    def close(self) -> None:
        """Close the connection; what is asked later opens it again."""
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ids(self, noun: str, narrowing: Narrowing) -> list[str]:
        return self._get(lambda document: _texts(document[noun]),
                         f'/v1/{noun}', _narrowed(narrowing))

    def _get(self, make: Callable[[Any], _T], path: str,
             query: Query = ()) -> _T:
        return answers.made(self.connection.ask('GET', path, query), make)

    def _list(self, path: str, make: Callable[[Any], _T], limit: int | None,
              query: Query = (), key: str | None = None) -> Iterator[_T]:
        def ask(marker: str | None, wanted: int) -> answers.Answer:
            return self.connection.ask('GET', path, [
                *query, ('limit', str(wanted)), *_marked(marker)])

        return pages.items(ask, make, limit, key)


class Scope:
    """The samples of one user, project, source or resource, and figures."""

    def __init__(self, client: Client, path: str) -> None:
        self._client = client
        self._path = path

    def samples(self, meter: str | None = None, *, limit: int | None = None,
                **narrowing: Unpack[Narrowing]) -> Iterator[models.Sample]:
        """The samples, of one meter or of all, oldest first."""
        path = (f'{self._path}/meters/{_part(meter)}' if meter is not None
                else f'{self._path}/samples')
        return self._client._list(path, models.read_old, limit,
                                  _narrowed(narrowing), 'samples')

    def volume(self, meter: str, figure: str = 'sum',
               **narrowing: Unpack[Narrowing]) -> models.Volume:
        """A figure of the volumes: 'sum', 'avg' or 'max'."""
        return self._client._get(
            _of(models.Volume),
            f'{self._path}/meters/{_part(meter)}/volume/{_part(figure)}',
            _narrowed(narrowing))

    def duration(self, meter: str, **narrowing: Unpack[Narrowing]
                 ) -> models.Duration:
        """For how long resources were seen, in seconds."""
        return self._client._get(
            _of(models.Duration),
            f'{self._path}/meters/{_part(meter)}/duration',
            _narrowed(narrowing))


def _part(name: str) -> str:
    """A part of a path; a slash in it does not part.

    Raises InvalidQuery of what a path does not keep: it is another one.
    """
    if name in ('', '.', '..'):
        raise errors.InvalidQuery('nothing can be asked for by this name',
                                  name=name)
    return quote(name, safe=':')


def _rules(filters: Filters) -> list[tuple[str, str]]:
    return [pair for rule in rules(filters) for pair in rule.query()]


def _narrowed(narrowing: Narrowing) -> list[tuple[str, str]]:
    return [(name, instant(value) if isinstance(value, datetime.datetime)
             else str(value)) for name, value in narrowing.items()]


def _marked(marker: str | None) -> list[tuple[str, str]]:
    return [] if marker is None else [('marker', marker)]


def _of(kind: type[_T]) -> Callable[[Any], _T]:
    return lambda document: models.read(kind, document)


def _each(kind: type[_T], key: str | None = None
          ) -> Callable[[Any], list[_T]]:
    return lambda document: [
        models.read(kind, one) for one in pages.listed(document, key)]


def _texts(document: Any) -> list[str]:
    return [str(one) for one in pages.listed(document)]
