# SPDX-License-Identifier: Apache-2.0
"""What a meter is: kind, unit, cadence; read from YAML.

Definitions are data: ``meters.yaml`` beside this file has the meters of
OpenStack and of the agent's own host, and a site adds its own in a drop-in
folder without code.
"""

from __future__ import annotations

import enum
import fnmatch
import importlib.resources
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from moc_meter import errors
from moc_meter.model.sample import MeterKind


class GapPolicy(enum.StrEnum):
    """What is assumed of a gauge between two samples too far apart."""

    UNKNOWN = 'unknown'
    BRIDGE = 'bridge'
    HOLD = 'hold'
    ZERO = 'zero'


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterDefinition:
    """One meter, or with a '*' in its name a family of them."""

    name: str                       # 'volume.size'; 'instance:*'
    kind: MeterKind
    unit: str                       # 'GiB'
    legacy_units: tuple[str, ...] = ()  # what the same figure was called
    resource_type: str              # 'volume'
    component: str                  # 'volume': the service it comes from
    #: 'metric', 'existence' or 'poll', as the catalogue has it; None for a
    #: site's own meters.
    profile: str | None = None
    cadence: int | None = None      # seconds between samples; None: by event
    max_gap: int | None = None      # seconds; None: three cadences
    gap_policy: GapPolicy = GapPolicy.UNKNOWN
    allow_negative: bool = False
    description: str                # what is counted, by whom
    definition_url: str | None = None

    @property
    def units(self) -> tuple[str, ...]:
        """Every label that this figure may carry, today's first."""
        return self.unit, *self.legacy_units


class Definitions:
    """The meters that a deployment knows."""

    def __init__(self, definitions: Iterable[MeterDefinition]) -> None:
        self._exact: dict[str, MeterDefinition] = {}
        self._patterns: list[MeterDefinition] = []
        for definition in definitions:
            if definition.name in self._exact:
                raise errors.InvalidDefinition('a meter is defined twice',
                                               meter=definition.name)
            self._exact[definition.name] = definition
            if '*' in definition.name:
                self._patterns.append(definition)

    def find(self, name: str) -> MeterDefinition | None:
        """The definition of a meter; None where there is none."""
        found = self._exact.get(name)
        if found is None:
            for definition in self._patterns:
                if fnmatch.fnmatchcase(name, definition.name):
                    return definition
        return found

    def __iter__(self) -> Iterator[MeterDefinition]:
        return iter(self._exact.values())


def load(folder: Path | None = None) -> Definitions:
    """The built-in definitions and those of a drop-in folder.

    folder: holds ``*.yaml`` files in the form of the built-in one; None, or
        a folder that does not exist, adds nothing.
    Raises InvalidDefinition, which names file, meter and field.
    """
    built_in = importlib.resources.files('moc_meter.model') / 'meters.yaml'
    found = list(_read('meters.yaml', built_in.read_text('utf-8')))
    for path in sorted(folder.glob('*.yaml')) if folder else ():
        try:
            content = path.read_text('utf-8')
        except (OSError, UnicodeDecodeError) as fault:
            raise errors.InvalidDefinition(
                'a file of meters cannot be read', file=str(path),
                reason=str(fault)) from fault
        found += _read(str(path), content)
    return Definitions(found)


def _read(name: str, content: str) -> Iterator[MeterDefinition]:
    try:
        document = yaml.load(content, Loader=_LOADER)  # noqa: S506
    except yaml.YAMLError as fault:
        raise errors.InvalidDefinition('a file of meters is not YAML',
                                       file=name,
                                       reason=str(fault)) from fault
    meters = document.get('meters') if isinstance(document, dict) else None
    if not isinstance(meters, dict):
        raise errors.InvalidDefinition(
            "a file of meters must hold a mapping 'meters'", file=name)
    for meter, fields in meters.items():
        yield _definition(name, meter, fields)


#: Ten times as fast where PyYAML has its C library; safe either way.
_LOADER = getattr(yaml, 'CSafeLoader', yaml.SafeLoader)
_TEXTS = ('unit', 'resource_type', 'component', 'description')


def _definition(file: str, meter: object,
                fields: object) -> MeterDefinition:
    if not isinstance(meter, str) or not isinstance(fields, Mapping):
        raise errors.InvalidDefinition('a meter must map a name to fields',
                                       file=file, meter=meter)
    known = set(MeterDefinition.__dataclass_fields__) - {'name'}
    for unknown in sorted(str(key) for key in set(fields) - known):
        raise errors.InvalidDefinition('a meter has no such field', file=file,
                                       meter=meter, field=unknown,
                                       allowed=sorted(known))
    for required in ('kind', *_TEXTS):
        if not isinstance(fields.get(required), str):
            raise errors.InvalidDefinition('a meter must say this as text',
                                           file=file, meter=meter,
                                           field=required)
    given: dict[str, Any] = dict(fields)
    for name, choices in (('kind', MeterKind), ('gap_policy', GapPolicy)):
        if name in given:
            given[name] = _choice(file, meter, name, given[name], choices)
    for name in ('cadence', 'max_gap'):
        value = given.get(name)
        if value is not None and (type(value) is not int or value <= 0):
            raise errors.InvalidDefinition(
                'must be a positive number of seconds', file=file,
                meter=meter, field=name, value=value)
    given['legacy_units'] = tuple(given.get('legacy_units', ()))
    return MeterDefinition(name=meter, **given)


def _choice(file: str, meter: str, name: str, value: object,
            choices: type[enum.StrEnum]) -> enum.StrEnum:
    try:
        return choices(str(value))
    except ValueError:
        raise errors.InvalidDefinition(
            'no such choice', file=file, meter=meter, field=name,
            value=value, allowed=[choice.value for choice in choices]
        ) from None
