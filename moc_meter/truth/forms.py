# SPDX-License-Identifier: Apache-2.0
"""What a made-up cloud consists of.

Instants are whole microseconds since 1970 UTC, volumes whole units of 10**-9:
plain integers, which are exact, fast, and easily looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

#: Microseconds of a second.
SECOND = 1_000_000
#: Units of a volume of 1.
UNIT = 10 ** 9

Instant = int
#: [start, end)
Interval = tuple[Instant, Instant]


class Sample(NamedTuple):
    """One value of one meter of one resource at one instant."""

    source: str
    message_id: str
    timestamp: Instant
    meter: str
    kind: str                       # gauge, delta, cumulative
    unit: str
    volume: int                     # in units of 10**-9
    resource_id: str
    project_id: str | None
    user_id: str | None
    metadata: Mapping[str, object]
    interval: Interval | None = None        # that a delta was counted in
    counter_start: Instant | None = None    # when a counter was 0
    sequence: int | None = None     # place in what its producer made

    @property
    def exact(self) -> Fraction:
        """The volume as a number."""
        return Fraction(self.volume, UNIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A sample that should be there, and is not."""

    timestamp: Instant              # of the tick, or of what was said
    meter: str
    resource_id: str
    project_id: str
    reason: str                     # 'not produced', 'lost', 'silent'


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """How the samples of a meter are to be read."""

    name: str
    kind: str
    unit: str
    #: Microseconds of a polling interval; None: said when it changes.
    cadence: int | None = None
    #: Longest known stretch after a sample, in microseconds; None: three
    #: cadences, or until the next sample where there is no cadence.
    max_gap: int | None = None
    gap_policy: str = 'unknown'     # unknown, bridge, hold, zero
    interpolation: str = 'step'     # step, linear
    modulus: int | None = None      # of a counter, in units of 10**-9
    max_rate: int | None = None     # of a counter, a second, likewise
    starts_at_zero: bool = False


class Holder(NamedTuple):
    """Who has a resource, and what is said of it, from an instant on."""

    since: Instant
    project_id: str
    user_id: str
    host: str | None
    metadata: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """The life of one resource, as it really was."""

    resource_id: str
    type: str       # instance, volume, snapshot, image, network, ip.floating
    created: Instant
    deleted: Instant | None
    #: Since when it was in which state; in order, the first at ``created``.
    states: tuple[tuple[Instant, str], ...]
    #: What was true of it, in order, the first at ``created``.
    holders: tuple[Holder, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Which part of a project an institution pays for."""

    project_id: str
    institution: str
    share: Fraction
    since: Instant
    until: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project of the accounting tree, which is a tenant of the cloud."""

    id: str
    name: str
    parent: str | None
    site: str


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person, and who employs them."""

    id: str
    name: str
    institution: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A hypervisor, with the intervals in which it or its agent was down."""

    id: str
    cluster: str
    site: str
    outages: tuple[tuple[Instant, Instant, str], ...] = ()  # start, end, why


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What holds of the cloud as a whole."""

    sites: tuple[str, ...]
    institutions: tuple[str, ...]
    projects: tuple[Project, ...]
    users: tuple[User, ...]
    hosts: tuple[Host, ...]
    shares: tuple[Share, ...]
    meters: Mapping[str, Meter] = field(default_factory=dict)
