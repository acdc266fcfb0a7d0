# SPDX-License-Identifier: Apache-2.0
"""What a plugin must have and give, whoever wrote it; pure checks.

Asked by the hosts of plugins, by ``moc-meter-manage plugin check`` and by the
test kit. Shapes are those of the Protocols in each seam's base.py; a test
holds the two against each other.
"""

from __future__ import annotations

import datetime
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from moc_meter import errors
from moc_meter.model.sample import MeterKind, Sample

#: Samples that a plugin may make of one notification, or of one question, and
#: their characters together; a number counts as eight.
MOST, MOST_CHARACTERS = 10_000, 8 * 1024 * 1024
#: Characters of what a fault says: it may show a value as large as a message.
_LONGEST = 1000
#: No metadata is nested as deeply; admission allows far less.
_DEEPEST = 100
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

    Each is a copy of plain values: nothing of the plugin's own is in it that
    could fail, hang or change later, where nobody expects it.

    Raises InvalidPlugin where something is none or has a field of another
    type, PluginFloods where there is more than ``most`` or it is too large;
    and what the plugin itself raises, an Exception in any case.
    """
    given = _checked(ask, most)
    while True:
        try:
            one = next(given)
        except StopIteration:
            return
        except Exception:
            raise
        except BaseException as fault:
            # sys.exit() in a plugin ends no process of ours.
            raise RuntimeError(told(fault)) from fault
        yield one


def told(fault: BaseException) -> str:
    """What a fault says of itself, so far as it is not too long.

    A stranger's may fail at that, and may hang: see agent/plain.py.
    """
    try:
        return cut(str(fault) if isinstance(fault, errors.MeterError)
                   else repr(fault))
    except BaseException:
        return cut(type(fault).__name__)


def cut(text: str) -> str:
    """Its beginning, as a plain text that can be written anywhere."""
    return str.__str__(text)[:_LONGEST].encode(
        'utf-8', 'backslashreplace').decode()


def _checked(ask: Callable[[], Iterable[object]], most: int
             ) -> Iterator[Sample]:
    copies = _Copies(MOST_CHARACTERS)
    for place, one in enumerate(ask()):
        if place == most:
            raise errors.PluginFloods('a plugin makes too many samples',
                                      limit=most)
        if not isinstance(one, Sample):
            raise errors.InvalidPlugin('a plugin gives what is no sample',
                                       type=type(one).__name__)
        yield copies.sample(one)


class _Copies:
    """Copies of what a plugin gives; too large together, it is a flood."""

    def __init__(self, most: int) -> None:
        self._left = most

    def sample(self, given: Sample) -> Sample:
        found = {}
        for name, copy in _FIELDS.items():
            value = getattr(given, name)
            try:
                found[name] = copy(self, value)
            except TypeError as fault:
                raise errors.InvalidPlugin(
                    'a plugin gives a sample with a field of another type',
                    field=name, type=type(value).__name__,
                    reason=told(fault)) from fault
        return Sample(**found)

    def text(self, value: Any) -> str:
        found = str.__str__(_of(str, value))
        self._count(len(found))
        return found

    def json(self, value: Any, depth: int = _DEEPEST) -> Any:
        """Plain JSON; TypeError where something is none."""
        if isinstance(value, str):
            return self.text(value)
        self._count(8)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            return int.__int__(value)
        if isinstance(value, float):
            return float.__float__(value)
        if not depth:
            raise TypeError('it is nested too deeply')
        if isinstance(value, Mapping):
            return {self.text(key): self.json(inner, depth - 1)
                    for key, inner in value.items()}
        return [self.json(inner, depth - 1)
                for inner in _of((list, tuple), value)]

    def _count(self, characters: int) -> None:
        self._left -= characters
        if self._left < 0:
            raise errors.PluginFloods('a plugin makes too large samples',
                                      limit=MOST_CHARACTERS)


def _of(kind: type | tuple[type, ...], value: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError(type(value).__name__)
    return value


def _instant(_: _Copies, value: Any) -> datetime.datetime:
    if _of(datetime.datetime, value).utcoffset() != datetime.timedelta(0):
        raise TypeError('not in UTC')
    return datetime.datetime.combine(value.date(), value.time(), datetime.UTC)


def _interval(copies: _Copies, value: Any) -> tuple[Any, Any]:
    if len(_of(tuple, value)) != 2:
        raise TypeError('an interval has two bounds')
    return _instant(copies, value[0]), _instant(copies, value[1])


_Copy = Callable[[_Copies, Any], Any]


def _or_none(copy: _Copy) -> _Copy:
    return lambda copies, value: (
        None if value is None else copy(copies, value))


#: How each field of a sample is copied; TypeError for one of another type.
_FIELDS: Mapping[str, _Copy] = {
    **dict.fromkeys(('source', 'message_id', 'meter', 'unit', 'resource_id'),
                    _Copies.text),
    **dict.fromkeys(('project_id', 'user_id'), _or_none(_Copies.text)),
    **dict.fromkeys(('rounded', 'is_event'),
                    lambda _, value: _of(bool, value)),
    'timestamp': _instant, 'counter_start': _or_none(_instant),
    'interval': _or_none(_interval),
    'kind': lambda _, value: _of(MeterKind, value),
    'volume': lambda _, value: Decimal(_of(Decimal, value)),
    'metadata': lambda copies, value: copies.json(_of(Mapping, value)),
    'sequence': _or_none(lambda _, value: int.__int__(_of(int, value)))}


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
