# SPDX-License-Identifier: Apache-2.0
"""What is asked of events, whose traits are compared by their types."""

from __future__ import annotations

import datetime
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from moc_meter.model.expression import Op
from moc_meter.model.traits import Trait

#: What a trait may be compared by.
COMPARISONS: Mapping[Op, Callable[[Any, Any], Any]] = {
    Op.EQ: operator.eq, Op.NE: operator.ne, Op.LT: operator.lt,
    Op.LE: operator.le, Op.GT: operator.gt, Op.GE: operator.ge}


@dataclass(frozen=True, slots=True, kw_only=True)
class TraitRule:
    """An event has a trait of this name and type that compares so.

    op: one of COMPARISONS; ``ne`` too wants the event to have the trait.
    """

    op: Op
    than: Trait


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSelection:
    """Which events are meant; every rule must hold.

    start, end: [start, end); None is unbounded.
    projects: the projects that the caller may see, by the trait project_id;
        None among them are events without it, None in their place is all.
    """

    event_type: str | None = None
    message_id: str | None = None
    traits: tuple[TraitRule, ...] = ()
    start: datetime.datetime | None = None
    end: datetime.datetime | None = None
    projects: frozenset[str | None] | None = None
