# SPDX-License-Identifier: Apache-2.0
"""Long lists: one item after the other, one page in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from moc_meter.client import answers, faults

_T = TypeVar('_T')

#: Items that are asked for at once.
PAGE = 1000

#: The page behind a marker, of so many items at most.
Ask = Callable[[str | None, int], answers.Answer]


def items(ask: Ask, item: Callable[[Any], _T], limit: int | None,
          key: str | None = None) -> Iterator[_T]:
    """The items of all pages; not more than the limit.

    item: what it makes of an item's JSON; raises KeyError, TypeError or
        ValueError where it is none.
    key: where a page is an object, which of it is the list.
    Raises BrokenOff where a page after the first does not come.
    """
    received, marker = 0, None
    while limit is None or received < limit:
        wanted = PAGE if limit is None else min(PAGE, limit - received)
        try:
            answer = ask(marker, wanted)
            page = answers.made(answer, lambda document: [
                item(one) for one in listed(document, key)])
        except faults.ClientFault as fault:
            if marker is None:
                raise
            raise faults.BrokenOff(fault, received) from fault
        yield from page[:wanted]
        received += len(page)
        marker = answer.marker
        if marker is None:
            return


def listed(document: Any, key: str | None = None) -> list[Any]:
    """The list that a document is, or has below a key; or TypeError."""
    found = document if key is None else document[key]
    if not isinstance(found, list):
        raise TypeError('a list was expected')
    return found
