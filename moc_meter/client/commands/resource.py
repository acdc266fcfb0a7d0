# SPDX-License-Identifier: Apache-2.0
"""Resources: what was measured, as it was said to be."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterable

from moc_meter.client import times
from moc_meter.client.columns import Column
from moc_meter.client.commands import options
from moc_meter.client.commands.base import Listing, Showing
from moc_meter.client.models import Resource, ResourceState

_WHOSE = (Column('project_id'), Column('user_id', long=True),
          Column('source', long=True))
_METADATA = Column('metadata', long=True)


class ListResources(Listing):
    """List what was measured, and when."""

    columns = (Column('resource_id'), *_WHOSE,
               Column('first_sample_timestamp'),
               Column('last_sample_timestamp'), _METADATA)
    examples = ('--project genomics', '--last-month -f value -c resource_id',
                '--silent-since monday',
                '--sort-column last_sample_timestamp --long')

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            '--silent-since', metavar='TIME', help='of which the newest of '
            f'the samples is older: {", ".join(times.INSTANTS)}')
        options.selection(parser, ('project', 'user', 'resource', 'source'))
        options.period(parser)
        options.limit(parser)

    def items(self, asked: argparse.Namespace) -> Iterable[Resource]:
        silent = None if asked.silent_since is None else times.instant(
            '--silent-since', asked.silent_since, options.now(),
            options.zone_of(asked))
        found = self.client.resources(
            [*options.rules_of(asked), *options.range_of(asked)],
            links=False, limit=None if silent else asked.limit)
        return found if silent is None else itertools.islice((
            one for one in found if one.last_sample_timestamp < silent),
            asked.limit)


class ShowResource(Showing):
    """Show a resource as it is or was, and its meters."""

    columns = (*ListResources.columns, Column('meters', lambda resource: [
        link.rel for link in resource.links if link.rel != 'self']))
    examples = ('i-1', 'i-1 --at 2026-03-08T12:00')

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        _resource(parser)
        parser.add_argument('--at', metavar='TIME',
                            help='as it was said to be then: '
                                 f'{", ".join(times.INSTANTS)}')

    def item(self, asked: argparse.Namespace) -> Resource:
        at = None if asked.at is None else times.instant(
            '--at', asked.at, options.now(), options.zone_of(asked))
        return self.client.resource(asked.resource, at)


class ListHistory(Listing):
    """List what was said of a resource over time."""

    columns = (Column('valid_from'), Column('valid_until'),
               Column('resource_id', long=True), *_WHOSE,
               Column('metadata'))
    examples = ('i-1', 'i-1 -f json')

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        _resource(parser)
        options.limit(parser)

    def items(self, asked: argparse.Namespace) -> Iterable[ResourceState]:
        return self.client.history(asked.resource, limit=asked.limit)


def _resource(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('resource', metavar='ID', help='of the resource')
