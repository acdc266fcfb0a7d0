# SPDX-License-Identifier: Apache-2.0
"""Which path below /v1 is answered by whom; all of them are read only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moc_meter.api.v1.discovery import Discovery
from moc_meter.api.v1.figures import VOLUMES, Figures
from moc_meter.api.v1.narrowing import SCOPES
from moc_meter.api.v1.raw import RawSamples

Controllers = Mapping[str, Mapping[str, Callable[..., Any]]]


def controllers(discovery: Discovery, raw: RawSamples,
                figures: Figures) -> Controllers:
    """Verbs by what is asked for."""
    return {name: {'GET': controller} for name, controller in {
        'components': discovery.components,
        'of_component': discovery.of_component,
        'meters': discovery.meters, 'users': discovery.users,
        'projects': discovery.projects, 'sources': discovery.sources,
        'resources': discovery.resources, 'samples': raw.index,
        'of_meter': raw.of_meter, 'volume': figures.volume,
        'duration': figures.duration}.items()}


def find(parts: Sequence[str]) -> tuple[str, Sequence[str]] | None:
    """A key of controllers(), and what its controller is given."""
    if not all(parts):
        return None
    match parts:
        case ['components' | 'meters' as noun]:
            return noun, ()
        case [noun] if noun in SCOPES:
            return noun, ()
        case ['components', component, 'meters']:
            return 'of_component', (component,)
        case ['sources', _, 'users' | 'projects' as noun]:
            return noun, parts[:2]
        case [scope, _, 'resources' | 'meters' | 'samples' as noun] if (
                scope in SCOPES):
            return noun, parts[:2]
        case [scope, name, 'meters', meter, *rest] if scope in SCOPES:
            return _figure(rest, (scope, name, meter))
    return None


def _figure(rest: Sequence[str], meter: Sequence[str]
            ) -> tuple[str, Sequence[str]] | None:
    match rest:
        case []:
            return 'of_meter', meter
        case ['duration']:
            return 'duration', meter
        case ['volume', figure] if figure in VOLUMES:
            return 'volume', (*meter, figure)
    return None
