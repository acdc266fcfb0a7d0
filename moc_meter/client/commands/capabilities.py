# SPDX-License-Identifier: Apache-2.0
"""What the service can do."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from moc_meter.client.columns import Column
from moc_meter.client.commands.base import Listing


class ListCapabilities(Listing):
    """List what the service can do."""

    columns = (Column('capability', lambda pair: pair[0]),
               Column('available', lambda pair: pair[1]))
    examples = ('', '-f json')

    def items(self, asked: argparse.Namespace) -> Iterable[tuple[str, bool]]:
        del asked
        found = self.client.capabilities()
        return sorted({**found.api, **found.storage}.items())
