# SPDX-License-Identifier: Apache-2.0
"""What a plugin must have and give, whoever wrote it; pure checks.

Asked by the hosts of plugins, by ``moc-meter-manage plugin check`` and by the
test kit. Shapes are those of the Protocols in each seam's base.py; a test
holds the two against each other.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moc_meter import errors
from moc_meter.model.sample import MeterKind, Sample

#: Samples that a plugin may make of one notification, or of one question.
MOST = 10_000
_TEXTS = ('source', 'message_id', 'meter', 'unit', 'resource_id')
_ONE_NAME = ('name',)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seam:
    """What is docked at one namespace of entry points.

    made_with: what the entry point is called with, by place; None where
        that is the business of its own options.
    methods: what is then asked, each with its arguments, by place.
    """

    made_with: tuple[str, ...] | None
    methods: Mapping[str, tuple[str, ...]]


SEAMS: Mapping[str, Seam] = {
    'moc_meter.notification': Seam(
        made_with=(), methods={'samples': ('notification',)}),
    'moc_meter.poll.compute': Seam(
        made_with=('hypervisor',),
        methods={'samples': ('tick', 'instances')}),
    'moc_meter.poll.hardware': Seam(
        made_with=(), methods={'samples': ('tick', 'host')}),
    'moc_meter.hypervisor': Seam(
        made_with=('uri',),
        methods={'guests': (), 'cpu_time': _ONE_NAME, 'vcpus': _ONE_NAME,
                 'memory': _ONE_NAME, 'disks': _ONE_NAME,
                 'interfaces': _ONE_NAME, 'power_state': _ONE_NAME,
                 'perf': _ONE_NAME, 'read_at': _ONE_NAME}),
    'moc_meter.bus': Seam(
        made_with=None, methods={'sender': (), 'receiver': ()}),
    'moc_meter.dispatcher': Seam(
        made_with=('store',),
        methods={'ping': (), 'dispatch': ('samples', 'now'),
                 'quarantine': ('refused', 'now')}),
}


def complaints(namespace: str, made: object) -> list[str]:
    """What a plugin lacks of its seam's contract; a sentence each.

    made: what the entry point names, or what came of calling it. Of a class
        its methods are looked at, without making anything.
    """
    seam = SEAMS[namespace]
    found: list[str] = []
    if isinstance(made, type) and seam.made_with is not None:
        found += _misfit('it', made, seam.made_with)
    if isinstance(made, type) or not inspect.isroutine(made):
        for name, arguments in seam.methods.items():
            found += _misfit(f'its {name}', _bound(made, name), arguments)
        if namespace == 'moc_meter.notification':
            found += _wrong_event_types(made)
    elif seam.made_with is not None:
        found += _misfit('it', made, seam.made_with)
    return found


def samples(ask: Callable[[], Iterable[object]], most: int = MOST
            ) -> Iterator[Sample]:
    """What a plugin gives when it is asked, as long as that are samples.

    Raises InvalidPlugin where something is none or has a field of another
    type, PluginFloods where there are more than ``most``; and what the plugin
    itself raises, an Exception in any case.
    """
    try:
        yield from _checked(ask(), most)
    except (SystemExit, KeyboardInterrupt) as fault:
        # sys.exit() in a plugin ends no process of ours.
        raise RuntimeError(repr(fault)) from fault


def _checked(given: Iterable[object], most: int) -> Iterator[Sample]:
    for place, one in enumerate(given):
        if place == most:
            raise errors.PluginFloods('a plugin makes too many samples',
                                      limit=most)
        if not isinstance(one, Sample):
            raise errors.InvalidPlugin('a plugin gives what is no sample',
                                       type=type(one).__name__)
        for name, value in _wrong_fields(one):
            raise errors.InvalidPlugin(
                'a plugin gives a sample with a field of another type',
                field=name, type=type(value).__name__, meter=one.meter)
        yield one


def _wrong_fields(sample: Sample) -> Iterator[tuple[str, object]]:
    expected = {**dict.fromkeys(_TEXTS, str), 'kind': MeterKind,
                'project_id': str | None, 'user_id': str | None,
                'metadata': Mapping}
    for name, kind in expected.items():
        value = getattr(sample, name)
        if not isinstance(value, kind):
            yield name, value


def _wrong_event_types(made: object) -> Iterator[str]:
    patterns = getattr(made, 'event_types', None)
    if isinstance(made, type) and (patterns is None
                                   or isinstance(patterns, property)):
        return      # only what is made of the class can tell
    if not isinstance(patterns, tuple) or not patterns or not all(
            isinstance(pattern, str) for pattern in patterns):
        yield f'its event_types must be a tuple of texts: {patterns!r}'


def _bound(made: object, name: str) -> Any:
    """A method as its callers have it; of a class, without its self."""
    found = getattr(made, name, None)
    if isinstance(made, type) and inspect.isfunction(
            inspect.getattr_static(made, name, None)):
        return found.__get__(object()) if found else None
    return found


def _misfit(what: str, called: Any, arguments: tuple[str, ...]
            ) -> Iterator[str]:
    wanted = f'({", ".join(arguments)})'
    if not callable(called):
        yield f'{what} must be callable with {wanted}'
        return
    try:
        inspect.signature(called).bind(*arguments)
    except (TypeError, ValueError) as fault:
        yield f'{what} must be callable with {wanted}: {fault}'
