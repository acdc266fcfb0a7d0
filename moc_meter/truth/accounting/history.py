# SPDX-License-Identifier: Apache-2.0
"""Who had a resource, and what was said of it, at any instant."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from moc_meter.truth.forms import Instant, Life, Sample

_METADATA = 'metadata.'


@dataclass(slots=True)
class _Course:
    """The values of one attribute, each from an instant on."""

    since: list[Instant] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    latest: tuple[Instant, bytes] | None = None

    def say(self, at: Instant, message_id: str, value: str) -> None:
        """Take a report; of two at one instant the larger id is right."""
        said = at, message_id.encode()
        if self.latest and said < self.latest:
            return
        self.latest = said
        if self.since and self.since[-1] == at:
            self.since.pop()
            self.values.pop()
        if not self.values or self.values[-1] != value:
            self.since.append(at)
            self.values.append(value)

    def at(self, instant: Instant) -> str | None:
        """The value at an instant: before the first report, the first."""
        place = bisect.bisect_right(self.since, instant) - 1
        return self.values[max(0, place)] if self.values else None


class History:
    """The attributes of one resource as its reports tell them.

    A report that does not speak of an attribute leaves it as it was; what
    nobody ever said is None.
    """

    __slots__ = ('_courses',)

    def __init__(self, names: Sequence[str]) -> None:
        """names: 'project_id', 'user_id', 'metadata.PATH'."""
        self._courses = {name: _Course() for name in names}

    def report(self, sample: Sample) -> None:
        """Take what a sample says; samples come in order of time."""
        self._say(sample.timestamp, sample.message_id, sample.project_id,
                  sample.user_id, sample.metadata)

    def recall(self, life: Life) -> None:
        """Take what was really true."""
        for holder in life.holders:
            self._say(holder.since, '', holder.project_id, holder.user_id,
                      holder.metadata)

    def _say(self, at: Instant, message_id: str, project: str | None,
             user: str | None, metadata: Mapping[str, object]) -> None:
        for name, course in self._courses.items():
            value = {'project_id': project, 'user_id': user}.get(name)
            if name.startswith(_METADATA):
                value = named(metadata, name.removeprefix(_METADATA))
            if value is not None:
                course.say(at, message_id, value)

    def at(self, instant: Instant) -> dict[str, str | None]:
        """Every attribute at an instant."""
        return {name: course.at(instant)
                for name, course in self._courses.items()}

    def ever(self, name: str) -> set[str]:
        """Every value that an attribute had."""
        return set(self._courses[name].values)

    def changes(self) -> set[Instant]:
        """Where a value begins that another went before."""
        return {since for course in self._courses.values()
                for since in course.since[1:]}


def named(value: object, path: str) -> str | None:
    """The text of a value at a path, 'flavor.name' or 'tags[0]'; or None.

    Keys may have dots themselves: 'a.b.c' is {'a.b': {'c': …}} as well.
    """
    if not path:
        nested = value is None or isinstance(value, Mapping | list | tuple)
        return None if nested else str(value)
    steps: Iterable[tuple[str, object]] = ()
    if isinstance(value, Mapping):
        steps = value.items()
    elif isinstance(value, list | tuple):
        steps = ((f'[{place}]', one) for place, one in enumerate(value))
    for step, inner in steps:
        rest = path[len(step):]
        if path.startswith(step) and rest[:1] in ('', '.', '['):
            found = named(inner, rest.removeprefix('.'))
            if found is not None:
                return found
    return None
