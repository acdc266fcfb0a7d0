# SPDX-License-Identifier: Apache-2.0
"""Samples: what was measured at one instant."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from moc_meter.client import times
from moc_meter.client.columns import Column, own_unit
from moc_meter.client.commands import options
from moc_meter.client.commands.base import Listing, Showing
from moc_meter.client.models import Outcome, Sample
from moc_meter.client.said import measured

_KINDS = ('gauge', 'delta', 'cumulative')
_KEPT = ('stored', 'duplicate')


class Samples(Listing):
    """Commands that answer with samples."""

    columns = (Column('timestamp'), Column('meter'), Column('resource_id'),
               Column('volume', unit=own_unit), Column('unit', long=True),
               Column('type', long=True), Column('project_id'),
               Column('user_id', long=True), Column('source', long=True),
               Column('recorded_at', long=True), Column('id', long=True),
               Column('metadata', long=True))


class ListSamples(Samples):
    """List samples, the newest first."""

    examples = ('--meter vcpus --start -7d',
                '--month 2026-03 --project genomics -f csv',
                "--query 'resource=i-1;timestamp>=2026-03-01' --limit 3",
                '--yesterday --timezone Europe/Berlin -c timestamp -c volume')

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        options.selection(parser)
        options.period(parser)
        options.limit(parser)

    def items(self, asked: argparse.Namespace) -> Iterable[Sample]:
        return self.client.samples(
            [*options.rules_of(asked), *options.range_of(asked)],
            limit=asked.limit)


class ShowSample(Showing):
    """Show one sample."""

    columns = Samples.columns
    examples = ('ID', 'ID -f json')

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument('sample', metavar='ID', help='of the sample')

    def item(self, asked: argparse.Namespace) -> Sample:
        return self.client.sample(asked.sample)


class CreateSample(Showing):
    """Store one sample.

    The status is 1 where it was not kept.
    """

    columns = (Column('message_id'), Column('status'), Column('reason'))
    examples = ('lab.oven 4.5 --resource oven-1 --unit h --type delta',
                ('lab.oven 1 --resource oven-1 --unit h --type delta '
                 '--timestamp -2h --metadata operator=Zoë'))

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument('meter', metavar='METER', help='its name')
        parser.add_argument('volume', metavar='VOLUME', help='a number')
        parser.add_argument('--resource', metavar='ID', required=True,
                            help='what was measured')
        parser.add_argument('--type', choices=_KINDS, required=True,
                            help='a level, what was added, or a counter')
        parser.add_argument('--unit', metavar='UNIT', required=True,
                            help='of the volume')
        parser.add_argument('--source', metavar='NAME', default='moc-meter',
                            help='who measured it (default: moc-meter)')
        parser.add_argument('--timestamp', metavar='TIME', default='now',
                            help=f'as {", ".join(times.INSTANTS)} (default: '
                                 'now)')
        parser.add_argument('--project', metavar='ID',
                            help="whose it is (default: the caller's)")
        parser.add_argument('--user', metavar='ID', help='likewise')
        parser.add_argument('--metadata', metavar='KEY=VALUE', default=[],
                            action='append', help='said of the resource; '
                            'may be said again')

    def item(self, asked: argparse.Namespace) -> Outcome:
        [outcome] = self.client.ingest([measured(
            asked.meter, asked.volume, source=asked.source,
            resource_id=asked.resource, unit=asked.unit, kind=asked.type,
            project_id=asked.project, user_id=asked.user,
            timestamp=times.instant(
                '--timestamp', asked.timestamp, options.now(),
                options.zone_of(asked)),
            metadata=dict(options.pair_of('--metadata', pair)
                          for pair in asked.metadata))])
        self._kept = outcome.status in _KEPT
        return outcome

    def run(self, parsed_args: argparse.Namespace) -> int:
        super().run(parsed_args)
        return 0 if self._kept else 1
