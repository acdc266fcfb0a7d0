# SPDX-License-Identifier: Apache-2.0
"""Which institution usage belongs to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

from moc_meter.truth.forms import Facts, Instant, Share

#: What nobody pays for.
UNALLOCATED = 'unallocated'
BASES = ('funding', 'affiliation')


def allocate(quantity: int, shares: Mapping[str, Fraction]) -> dict[str, int]:
    """A quantity in units of 10**-9, divided without a rest.

    Each share is rounded down; what is missing goes, a unit each, to the
    largest remainders, and among equal ones to the lesser id.
    shares: of institutions; each above 0, their sum at most 1.
    """
    return _divided(quantity, _parts(shares))


def _parts(shares: Mapping[str, Fraction]) -> dict[str, int]:
    """The shares, and what is left, as parts of a whole in whole numbers."""
    rest = 1 - sum(shares.values())
    if rest < 0 or any(share <= 0 for share in shares.values()):
        raise ValueError(f'shares must lie above 0, with a sum of at most 1: '
                         f'shares={dict(shares)!r}')
    whole = {**shares, UNALLOCATED: rest} if rest else shares
    base = math.lcm(*(share.denominator for share in shares.values()))
    return {name: int(share * base) for name, share in whole.items()}


def _divided(quantity: int, parts: Mapping[str, int]) -> dict[str, int]:
    if quantity < 0:
        return {name: -part
                for name, part in _divided(-quantity, parts).items()}
    base = sum(parts.values())
    found = {name: quantity * part // base for name, part in parts.items()}
    nearest = sorted(parts, key=lambda name: (
        -(quantity * parts[name] % base), name))
    for name in nearest[:quantity - sum(found.values())]:
        found[name] += 1
    return found


class Running:
    """A record's running total, allocated as it grows.

    Its pieces are differences of the allocated running total: each adds up
    to what was added, and all of them to the record's own allocation.
    """

    def __init__(self, shares: Mapping[str, Fraction]) -> None:
        self._parts = _parts(shares)
        self._total = 0
        self._allocated = dict.fromkeys(self._parts, 0)

    def add(self, quantity: int) -> dict[str, int]:
        """What of another piece of the record is whose."""
        self._total += quantity
        before, self._allocated = (
            self._allocated, _divided(self._total, self._parts))
        return {name: part - before[name]
                for name, part in self._allocated.items()}


class Funding:
    """The shares of projects, with those they have from their ancestors."""

    def __init__(self, facts: Facts) -> None:
        self._parents = {one.id: one.parent for one in facts.projects}
        self._shares: dict[str, list[Share]] = {}
        for share in facts.shares:
            self._shares.setdefault(share.project_id, []).append(share)
        self._employers = {one.id: one.institution for one in facts.users}

    def at(self, project: str | None, instant: Instant
           ) -> dict[str, Fraction]:
        """Shares of a project, or of its nearest ancestor that has any."""
        while project is not None:
            found = {one.institution: one.share
                     for one in self._shares.get(project, ())
                     if one.since <= instant
                     and (one.until is None or instant < one.until)}
            if found:
                return found
            project = self._parents.get(project)
        return {}

    def changes(self, project: str | None) -> set[Instant]:
        """Where shares of a project or of an ancestor begin or end."""
        found = set()
        while project is not None:
            for one in self._shares.get(project, ()):
                found |= {one.since} | ({one.until} if one.until else set())
            project = self._parents.get(project)
        return found

    def employer(self, user: str | None) -> dict[str, Fraction]:
        """The institution of a user, as the only share."""
        if user not in self._employers:
            return {}
        return {self._employers[user]: Fraction(1)}
