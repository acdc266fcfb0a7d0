# SPDX-License-Identifier: Apache-2.0
"""Of many notifications taken together comes what comes of one by one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from moc_meter.agent.notification import host as host_module
from moc_meter.agent.notification import message
from moc_meter.agent.notification.base import Notification
from moc_meter.agent.notification.host import Outcome, PluginHost
from moc_meter.model import meter
from moc_meter.model.sample import Sample

DEFINITIONS = meter.load()
NAMES = ('first', 'second', 'third')
FAULTS: dict[str, type[BaseException]] = {
    'raise': KeyError, 'end': SystemExit, 'own time-out': TimeoutError}
RUBBISH = {'nothing': (), 'nonsense': ['sample'], 'no iterator': 7}
#: What a plugin may do with one notification.
DEEDS = (*FAULTS, *RUBBISH, 'samples', 'samples', 'fail late', 'change',
         'slow', 'later', 'hang', 'free')
#: Seconds; only those who hang take any.
PATIENCE = 0.5

#: For each notification what each plugin does.
Plan = list[dict[str, str]]
Take = Callable[[PluginHost, list[dict[str, Any]]], list[Outcome]]


class Doer:
    """Does with each notification what its payload says."""

    event_types = ('do.*',)

    def __init__(self, name: str, world: World) -> None:
        self._name = name
        self._world = world

    def samples(self, notification: Notification) -> Any:
        deed = notification.payload['deeds'][self._name]
        self._world.asked.append((notification.message_id, self._name))
        return self._done(deed, notification)

    def _done(self, deed: str, notification: Notification) -> Any:
        if deed in FAULTS:
            raise FAULTS[deed](self._name)
        match deed:
            case 'change':
                payload: Any = notification.payload
                payload.clear()
            case 'hang':
                self._world.hang()
            case 'free':
                self._world.free()
            case 'slow':
                self._world.now += 0.9 * PATIENCE
            case 'later':
                self._world.now += 100
        if deed in RUBBISH:
            return RUBBISH[deed]
        return self._made(deed, notification)

    def _made(self, deed: str, notification: Notification
              ) -> Iterator[Sample]:
        subject = message.Subject.of(notification, self._name, metadata={})
        assert subject is not None
        yield from subject.sample('mail', 'mail', 1)
        if deed == 'fail late':
            raise ValueError(self._name)


class World:
    """A host of such plugins, its clock, and what is seen from outside."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asked: list[tuple[str, str]] = []
        self._hanging: list[threading.Event] = []
        self.host = PluginHost({name: Doer(name, self) for name in NAMES},
                               DEFINITIONS, events=['do.also'],
                               patience=PATIENCE, clock=lambda: self.now)

    def hang(self) -> None:
        let_go = threading.Event()
        self._hanging.append(let_go)
        let_go.wait()

    def free(self) -> None:
        """Whoever hangs comes back."""
        for let_go in self._hanging:
            let_go.set()
        for thread in self.host._patience._calls._hung.values():
            thread.join()


def flat(place: int, deeds: Mapping[str, str]) -> dict[str, Any]:
    return {'message_id': f'n-{place}', 'publisher_id': 'doer',
            'event_type': ('do.also', 'do.this', 'do.it')[place % 3],
            'priority': 'INFO',
            'timestamp': 'soon' if place == 3 else '2026-03-01 12:00:00',
            'payload': {'deeds': dict(deeds)}}


def seen(plan: Plan, take: Take) -> tuple[object, ...]:
    """All that can be told of taking such notifications."""
    world, lines = World(), logging.Handler()
    told: list[str] = []
    lines.emit = lambda record: told.append(  # type: ignore[method-assign]
        record.getMessage())
    level = host_module.LOG.level
    host_module.LOG.addHandler(lines)
    host_module.LOG.setLevel(logging.INFO)
    try:
        outcomes = take(world.host, [flat(place, deeds) for place, deeds
                                     in enumerate(plan)])
        return (outcomes, world.asked, world.host.counts, told,
                world.host.left_out, world.now)
    finally:
        host_module.LOG.setLevel(level)
        host_module.LOG.removeHandler(lines)
        world.free()


def one_by_one(host: PluginHost, flats: list[dict[str, Any]]
               ) -> list[Outcome]:
    return [host.take('region-1', one) for one in flats]


def together(host: PluginHost, flats: list[dict[str, Any]]) -> list[Outcome]:
    return host.take_all('region-1', flats)


PLANS = st.lists(st.fixed_dictionaries(
    {name: st.sampled_from(DEEDS) for name in NAMES}),
    min_size=1, max_size=12)


@settings(max_examples=10, deadline=None)
@given(PLANS)
def test_notifications_taken_together_give_what_they_give_one_by_one(
        plan: Plan) -> None:
    assert seen(plan, together) == seen(plan, one_by_one)


def does(**deeds: str) -> dict[str, str]:
    return dict.fromkeys(NAMES, 'samples') | deeds


def test_after_one_that_hangs_the_rest_of_the_batch_is_taken() -> None:
    plan = [does(), does(second='hang'), does(), does(), does()]
    outcomes, asked, counts, *_ = seen(plan, together)
    assert isinstance(outcomes, list)
    assert [outcome.makers for outcome in outcomes] == [
        (*NAMES, 'event'), ('first', 'third'), ('first', 'third'), (),
        ('first', 'third')]
    assert [[refused.reason.split(':')[0] for refused in outcome.refused]
            for outcome in outcomes] == [
        [], ['second'], ['second'], ['envelope'], ['second']]
    assert isinstance(asked, list)
    assert len(asked) == len(set(asked)) == 10
    assert counts == {'notifications': 5, 'samples': 10, 'refused': 4,
                      'fault second': 3, 'fault envelope': 1}


def test_who_hung_and_is_back_is_asked_again_within_the_batch() -> None:
    plan = [does(second='hang'), does(first='later', third='free'), does()]
    outcomes, _, _, told, *_ = seen(plan, together)
    assert isinstance(outcomes, list)
    assert [outcome.makers for outcome in outcomes] == [
        ('first', 'third', 'event'), ('first', 'third'), ('second', 'third')]
    assert isinstance(told, list)
    assert [line.partition(' plugin=')[2].split(' ')[0] for line in told
            if 'answers again' in line] == ['second']
