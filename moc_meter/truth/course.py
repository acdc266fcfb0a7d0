# SPDX-License-Identifier: Apache-2.0
"""The life of a resource, with all that happened in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moc_meter.truth.forms import Holder, Instant, Life

#: After these a guest's counters begin at 0.
_RESTARTS = ('create', 'resize', 'migrate', 'reboot', 'start', 'unshelve')


class Described(dict[str, object]):
    """Metadata that know their own JSON; never changed once made."""

    __slots__ = ('_text',)
    _text: str

    @property
    def text(self) -> str:
        """JSON, made once."""
        try:
            return self._text
        except AttributeError:
            self._text = json.dumps(self, ensure_ascii=False,
                                    separators=(',', ':'))
        return self._text


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a resource."""

    at: Instant
    what: str                   # 'create', 'resize', 'delete' …
    holder: Holder              # from then on; of a deletion, until then

    @property
    def restarts(self) -> bool:
        """Whether counters begin at 0."""
        return self.what in _RESTARTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A life with what happened in it, in order."""

    life: Life
    events: tuple[Event, ...]
    interface: Life | None = None       # that of an instance
    name: str = ''              # what its hypervisor calls it


def flavor(holder: Holder) -> Mapping[str, Any]:
    """Of an instance: vcpus, ram in MiB, disk in GiB."""
    said: Any = holder.metadata['flavor']
    found: Mapping[str, Any] = said
    return found
