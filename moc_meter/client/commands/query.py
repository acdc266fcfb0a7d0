# SPDX-License-Identifier: Apache-2.0
"""Questions that simple rules cannot say."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from moc_meter.client.commands import options
from moc_meter.client.commands.sample import Samples
from moc_meter.client.models import Sample


class QuerySamples(Samples):
    """List the samples of which an expression is true."""

    examples = (
        ("""--filter '{"and": [{"=": {"meter": "vcpus"}}, """
         """{">": {"volume": 2}}]}'"""),
        ("""--filter '{"in": {"project_id": ["genomics", "physics"]}}' """
         """--orderby '[{"volume": "desc"}]' --limit 5"""))

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            '--filter', metavar='JSON', help='an expression of and, or, not, '
            '=, !=, <, <=, >, >=, =~ and in, as the API has it (default: all '
            'samples)')
        parser.add_argument(
            '--orderby', metavar='JSON', help='a list of fields and '
            'directions (default: the newest first)')
        options.limit(parser)

    def items(self, asked: argparse.Namespace) -> Iterable[Sample]:
        return self.client.query_samples(asked.filter, asked.orderby,
                                         asked.limit)
