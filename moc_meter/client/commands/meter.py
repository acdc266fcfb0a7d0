# SPDX-License-Identifier: Apache-2.0
"""What is measured, and of what."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterable, Sequence

from moc_meter.client.columns import Column
from moc_meter.client.commands import options
from moc_meter.client.commands.base import Listing
from moc_meter.client.models import Meter

#: Columns that a meter has, whatever its resource.
_OF_ALL = 3


class ListMeters(Listing):
    """List the meters of each resource."""

    columns = (Column('name'), Column('type'), Column('unit'),
               Column('resource_id'), Column('project_id'),
               Column('user_id', long=True), Column('source', long=True),
               Column('meter_id', long=True))
    examples = ('--unique', '--project genomics --limit 5 -f csv',
                "--query 'resource=i-1' -f value -c name")

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        options.selection(parser, ('project', 'user', 'resource', 'source'))
        parser.add_argument('--unique', action='store_true',
                            help='each meter once, whatever its resource')
        options.limit(parser)

    def columns_of(self, asked: argparse.Namespace) -> Sequence[Column]:
        if not asked.unique:
            return self.columns
        return [dataclasses.replace(column, long=place > _OF_ALL)
                for place, column in enumerate(self.columns, 1)]

    def items(self, asked: argparse.Namespace) -> Iterable[Meter]:
        return self.client.meters(options.rules_of(asked),
                                  unique=asked.unique, limit=asked.limit)
