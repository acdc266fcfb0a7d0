# SPDX-License-Identifier: Apache-2.0
"""How commands write what they found: JSON lines, and tables of text."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Sequence
from decimal import Decimal

from moc_meter.api.v2 import timestamp
from moc_meter.cmd import text
from moc_meter.model import quantity
from moc_meter.model.statistics import Statistics
from moc_meter.terminal import harmless


def line(value: object) -> str:
    """The value as JSON; decimals are numbers with all their digits.

    A number that is not finite, which JSON does not have, is null.
    """
    return text.line(value, _leaf)


def _leaf(value: object) -> str:
    match value:
        case float() if not math.isfinite(value):
            return 'null'
        case Decimal():
            return quantity.text(value)
        case datetime.datetime():
            return json.dumps(timestamp.show(value))
        case _:
            return json.dumps(value)


def figures(found: Statistics | None) -> dict[str, object] | None:
    """What is shown of statistics."""
    if found is None:
        return None
    return {'count': found.count, 'sum': found.sum, 'min': found.min,
            'max': found.max}


def row(cells: Sequence[object], widths: Sequence[int]) -> str:
    """A row of a table; the last cell is as long as it is."""
    texts = [harmless(str(value)) for value in cells]
    padded = [cell.ljust(width) for cell, width in zip(texts, widths,
                                                       strict=False)]
    return '  '.join([*padded, *texts[len(widths):]]).rstrip()
