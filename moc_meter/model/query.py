# SPDX-License-Identifier: Apache-2.0
"""What is asked of samples, and the forms of the answers.

A question carries the caller's row scope with it (``projects``), so that a
store applies it inside the query and never on the answer.
"""

from __future__ import annotations

import datetime
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from moc_meter import errors
from moc_meter.model.sample import MeterKind, Sample
from moc_meter.model.statistics import Statistics


class Field(enum.StrEnum):
    """What a sample's series says, and a question may filter or group by."""

    METER = 'meter'
    SOURCE = 'source'
    RESOURCE = 'resource_id'
    PROJECT = 'project_id'
    USER = 'user_id'


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataRule:
    """A sample's own metadata has one of some values at a path.

    path: keys joined by dots, items of lists as 'tags[0]'.
    values: alternatives as (kind, text), see metadata.scalars().
    """

    path: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which samples are meant; every rule must hold.

    series: pairs of field and wanted value; None selects what has none.
    start, end: [start, end); None is unbounded.
    projects: the projects that the caller may see; None is all.
    """

    series: tuple[tuple[Field, str | None], ...] = ()
    message_ids: tuple[str, ...] = ()
    metadata: tuple[MetadataRule, ...] = ()
    start: datetime.datetime | None = None
    end: datetime.datetime | None = None
    projects: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsQuestion:
    """Statistics of the selected samples, by unit, group and period.

    period: None is one row for all; else bucket k is
        [origin + k * period, origin + (k + 1) * period), where origin is the
        one given or the earliest selected sample.
    group_by: fields of the series; group_by_metadata: metadata paths;
        samples that lack such a path are left out.
    squares: whether sums of squares are wanted (for the deviation).
    cardinality: fields whose distinct values are counted.
    most: rows that the answer may have; of more it is refused, InvalidQuery.
    """

    selection: Selection
    period: datetime.timedelta | None = None
    origin: datetime.datetime | None = None
    group_by: tuple[Field, ...] = ()
    group_by_metadata: tuple[str, ...] = ()
    squares: bool = False
    cardinality: tuple[Field, ...] = ()
    most: int | None = None

    def check(self, rows: int) -> None:
        """Raises InvalidQuery where those are more than the answer may have.
        """
        if self.most is not None and rows > self.most:
            raise errors.InvalidQuery(
                f'The answer would have more than {self.most} rows; ask for '
                'a shorter range, a longer period or fewer groups')


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsRow:
    """The answer for one unit, group and period."""

    unit: str
    group: Mapping[str, str | None]     # by field value or metadata path
    period_start: datetime.datetime | None
    statistics: Statistics
    squares: Decimal | None = None
    cardinality: Mapping[Field, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSample:
    """A sample and when it was stored."""

    sample: Sample
    recorded_at: datetime.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterSeen:
    """A meter of a resource that has a selected sample.

    resource_id, source, project_id and user_id are those of the newest such
    sample; all None where meters were asked for uniquely.
    """

    name: str
    kind: MeterKind
    unit: str
    resource_id: str | None = None
    source: str | None = None
    project_id: str | None = None
    user_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceSeen:
    """A resource that has a selected sample, as its newest one says it."""

    resource_id: str
    first: datetime.datetime            # of the selected samples
    last: datetime.datetime
    source: str
    project_id: str | None
    user_id: str | None
    metadata: Mapping[str, object]
    #: Names, ascending: of all its meters that the caller may see, whether
    #: or not they have a selected sample.
    meters: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceState:
    """What was said of a resource from one report on till another changed it.

    until: None where none has yet.
    """

    since: datetime.datetime
    until: datetime.datetime | None
    source: str
    project_id: str | None
    user_id: str | None
    metadata: Mapping[str, object]


class Outcome(enum.StrEnum):
    """What became of a sample that was written."""

    STORED = 'stored'
    DUPLICATE = 'duplicate'     # it was there
    CONFLICT = 'conflict'       # its identity says something else: set aside
    EXPIRED = 'expired'         # older than what is dropped: set aside


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a batch, in the order of its samples."""

    outcomes: tuple[Outcome, ...]

    @property
    def stored(self) -> int:
        return self.outcomes.count(Outcome.STORED)

    @property
    def duplicates(self) -> int:
        return self.outcomes.count(Outcome.DUPLICATE)

    @property
    def conflicts(self) -> int:
        return self.outcomes.count(Outcome.CONFLICT)

    @property
    def expired(self) -> int:
        return self.outcomes.count(Outcome.EXPIRED)


class RetentionLevel(enum.StrEnum):
    """What is dropped by age, each by a rule of its own."""

    SAMPLES = 'samples'
    EVENTS = 'events'


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """One line of retention's journal.

    until: what is before it is dropped.
    finished_at: None as long as some of it may be there still.
    dropped: how many they were, known when it is finished.
    """

    level: RetentionLevel
    until: datetime.datetime
    by: str
    decided_at: datetime.datetime
    finished_at: datetime.datetime | None
    dropped: int
