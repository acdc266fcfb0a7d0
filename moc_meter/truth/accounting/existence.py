# SPDX-License-Identifier: Apache-2.0
"""How long resources existed, and how long they were active."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction

from moc_meter.truth.accounting.cells import Series
from moc_meter.truth.accounting.history import History
from moc_meter.truth.accounting.question import Cloud, Question
from moc_meter.truth.accounting.segments import level, union
from moc_meter.truth.forms import UNIT, Instant, Interval, Life

#: The states in which a resource counts as active, by its type.
ACTIVE = {'instance': frozenset(['active'])}


def names(question: Question) -> list[str]:
    """The attributes that a question needs of every resource."""
    return ['project_id', 'user_id', *(
        name for name in question.by if name.startswith('metadata.'))]


def recalled(life: Life, question: Question) -> History:
    """What was really true of a resource."""
    history = History(names(question))
    history.recall(life)
    return history


def existence(life: Life, end: Instant) -> Interval:
    """[c, d), no longer than to the end of what was computed."""
    stop = end if life.deleted is None else min(life.deleted, end)
    return life.created, max(life.created, stop)


def active(life: Life, end: Instant) -> list[Interval]:
    """Disjoint intervals in which a resource was active, in order.

    life: of a type in ACTIVE.
    """
    _, stop = existence(life, end)
    states = [*life.states, (stop, '')]
    return union((since, min(until, stop)) for (since, state), (until, _)
                 in itertools.pairwise(states) if state in ACTIVE[life.type])


def durations(cloud: Cloud, question: Question) -> Iterator[Series]:
    """Each resource, with the seconds that it existed or was active."""
    for life in cloud.lives():
        if question.subject == 'active' and life.type not in ACTIVE:
            continue
        exists = existence(life, cloud.end)
        counted = ([exists] if question.subject == 'existence'
                   else active(life, cloud.end))
        yield Series(
            resource_id=life.resource_id, type=life.type,
            history=recalled(life, question), expected=exists,
            known=[exists], estimated=(),
            segments=[level(start, end, Fraction(UNIT))
                      for start, end in counted if start < end])
