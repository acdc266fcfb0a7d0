# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import itertools
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from moc_meter import errors
from moc_meter.agent.notification import message
from moc_meter.agent.notification.base import Notification, NotificationPlugin
from moc_meter.agent.notification.host import Outcome, PluginHost
from moc_meter.agent.notification.volume import VolumeMeters
from moc_meter.messaging import codec
from moc_meter.model import meter
from moc_meter.model.sample import Sample
from moc_meter.publisher import messages
from moc_meter.tests.servers.base import until
from moc_meter.tests.unit.agent import rubbish

DEFINITIONS = meter.load()


class Broken:
    """A stranger's plugin that fails after its first sample."""

    event_types = ('volume.*',)

    def __init__(self, fault: Exception) -> None:
        self._fault = fault

    def samples(self, notification: Notification) -> Iterator[Sample]:
        yield from VolumeMeters().samples(notification)
        raise self._fault


class Careless:
    """A stranger's plugin that gives what is no sample."""

    event_types = ('volume.*',)

    def samples(self, _notification: Notification) -> Iterator[Any]:
        yield None


class Mail:
    """A site's plugin, of a meter that nobody defined."""

    event_types = ('mail.sent',)

    def samples(self, notification: Notification) -> Iterator[Sample]:
        subject = message.Subject.of(notification, 'mailbox', metadata={})
        assert subject is not None
        yield from subject.sample('mail.sent', 'mail', 1)


class Told(Mail):
    """One whose samples are of a profile, whatever their meters."""

    profile = 'existence'


class Instead(VolumeMeters):
    """One that is told in another form what VolumeMeters is told."""

    profile = 'versioned'
    instead_of = ('volume',)
    topics = ('other',)


def host(profiles: tuple[str, ...] = ('metric', 'existence'),
         **plugins: NotificationPlugin) -> PluginHost:
    return PluginHost({'volume': VolumeMeters(), **plugins}, DEFINITIONS,
                      profiles)


def flat(**changes: Any) -> dict[str, Any]:
    return {'message_id': 'n-1', 'event_type': 'volume.create.end',
            'publisher_id': 'volume.h1', 'priority': 'INFO',
            'timestamp': '2026-03-01 12:00:00', '_context_user_id': 'u-1',
            '_context_auth_token': 'secret',
            'payload': {'volume_id': 'v-1', 'size': 1}} | changes


@pytest.mark.parametrize(('profiles', 'meters'), [
    (('metric',), ['volume.size']), (('existence',), ['volume']),
    (('metric', 'existence'), ['volume.size', 'volume']), ((), [])])
def test_a_profile_says_which_samples_are_made(
        profiles: tuple[str, ...], meters: list[str]) -> None:
    outcome = host(profiles).take('region-1', flat())
    assert [sample.meter for sample in outcome.samples] == meters


def test_a_meter_that_nobody_defined_is_in_no_profile() -> None:
    outcome = host((), mail=Mail()).take('region-1',
                                         flat(event_type='mail.sent'))
    assert [sample.meter for sample in outcome.samples] == ['mail.sent']


@pytest.mark.parametrize(('profiles', 'count'), [
    (('existence',), 1), (('metric',), 0)])
def test_a_plugin_of_a_profile_is_asked_where_it_is_on(
        profiles: tuple[str, ...], count: int) -> None:
    outcome = host(profiles, mail=Told()).take('region-1',
                                               flat(event_type='mail.sent'))
    assert len(outcome.samples) == count


def test_a_plugin_that_stands_for_another_is_asked_instead_of_it() -> None:
    usual = host(('metric',), other=Instead())
    assert [sample.meter for sample in usual.take('region-1', flat()).samples
            ] == ['volume.size']
    assert usual.topics == ()
    other = host(('versioned',), other=Instead())
    assert [sample.meter for sample in other.take('region-1', flat()).samples
            ] == ['volume.size', 'volume']
    assert other.topics == ('other',)


@pytest.mark.parametrize('fault', [
    KeyError('size'), TypeError('no'), ValueError('no'), IndexError('no'),
    AttributeError('no'), RuntimeError('bug'), ZeroDivisionError('bug')])
def test_the_fault_of_one_plugin_stops_no_other(fault: Exception) -> None:
    with_it = host(broken=Broken(fault))
    outcome = with_it.take('region-1', flat())
    assert [sample.meter for sample in outcome.samples] == ['volume.size',
                                                            'volume']
    [refused] = outcome.refused
    assert refused.code == errors.InvalidMessage.code
    assert refused.reason == f'broken: {fault!r}'
    assert with_it.counts == {'notifications': 1, 'samples': 2, 'refused': 1,
                              'fault broken': 1}


def test_what_is_no_sample_is_the_fault_of_its_plugin_alone() -> None:
    outcome = host(careless=Careless()).take('region-1', flat())
    assert len(outcome.samples) == 2
    [refused] = outcome.refused
    assert refused.reason.startswith('careless: a plugin gives what is no')


def test_a_refusal_has_the_code_of_its_error() -> None:
    fault = errors.InvalidSample('volume must be finite', volume='x')
    [refused] = host(broken=Broken(fault)).take('region-1', flat()).refused
    assert refused.code == 'moc_meter.sample.invalid'
    assert 'volume must be finite' in refused.reason


def test_what_is_refused_names_the_source_that_its_samples_would_have(
        ) -> None:
    plugins = host(broken=Broken(KeyError('x')))
    assert [refused.source for message in (flat(), flat(timestamp='soon'))
            for refused in plugins.take('region-1', message).refused
            ] == ['region-1'] * 2


def test_a_refused_notification_can_be_read_again_but_has_no_token() -> None:
    [refused] = host(broken=Broken(KeyError('x'))).take('region-1',
                                                        flat()).refused
    kept = flat()
    kept.pop('_context_auth_token')
    assert message.flat(refused.content) == kept
    assert b'secret' not in refused.content


@pytest.mark.parametrize('change', [{'timestamp': 'noon'},
                                    {'message_id': None}])
def test_a_notification_that_cannot_be_dated_is_refused(
        change: dict[str, Any]) -> None:
    outcome = host().take('region-1', flat(**change))
    assert outcome.samples == ()
    [refused] = outcome.refused
    assert json.loads(refused.content)['event_type'] == 'volume.create.end'


@pytest.mark.parametrize('change', [
    {'event_type': 'volume.usage', 'timestamp': None},
    {'event_type': None}, {'event_type': ['volume.exists']},
    {'payload': None}, {'priority': 'ERROR', 'timestamp': None}])
def test_what_nobody_asks_for_gives_nothing(change: dict[str, Any]) -> None:
    outcome = host().take('region-1', flat(**change))
    assert (outcome.samples, outcome.refused) == ((), ())


def test_the_same_fault_is_named_once_and_counted(
        caplog: pytest.LogCaptureFixture) -> None:
    with_it = host(broken=Broken(KeyError('size')))
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            with_it.take('region-1', flat())
    [line] = caplog.messages
    assert 'plugin=broken' in line
    assert with_it.counts['fault broken'] == 3


class Strange:
    """Does for each volume what a stranger may do."""

    event_types = ('volume.*',)

    def __init__(self, deed: Callable[[], Any]) -> None:
        self._deed = deed

    def samples(self, _: Notification) -> Any:
        return self._deed()


class Hanging:
    """Waits for ever, each time, until it is let go."""

    event_types = ('volume.*',)

    def __init__(self) -> None:
        self.asked: list[threading.Event] = []
        self.answers = False

    def samples(self, _: Notification) -> list[Sample]:
        if self.answers:
            return []
        let_go = threading.Event()
        self.asked.append(let_go)
        let_go.wait()
        return []


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    made = Hanging()
    yield made
    for let_go in made.asked:
        let_go.set()


def good() -> Sample:
    [made, _] = host().take('region-1', flat()).samples
    return made


RUBBISH = [
    'ab', [None], [{'meter': 'mail'}],
    *([dataclasses.replace(good(), **change)] for change in rubbish.FIELDS)]


def travels(outcome: Outcome) -> None:
    """Beside what is refused, two good samples; all of it can be sent."""
    [sent] = messages.encoded(outcome.samples, outcome.refused, None)
    arrived = codec.decode(sent)
    assert (len(arrived.samples), len(arrived.refused)) == (2, 1)


@pytest.mark.parametrize('given', RUBBISH)
def test_rubbish_is_the_fault_of_its_plugin_alone(given: object) -> None:
    outcome = host(strange=Strange(lambda: given)).take('region-1', flat())
    [refused] = outcome.refused
    assert refused.code == errors.InvalidPlugin.code
    travels(outcome)


@pytest.mark.parametrize('make', rubbish.BREAKING)
def test_samples_that_break_their_reader_break_their_plugin_alone(
        make: Callable[[], Mapping[str, object]]) -> None:
    travels(host(strange=Strange(
        lambda: [dataclasses.replace(good(), metadata=make())])).take(
            'region-1', flat()))


def test_an_error_that_cannot_be_told_is_named_by_its_type() -> None:
    outcome = host(broken=Broken(rubbish.UnspokenFault('x'))).take(
        'region-1', flat())
    assert outcome.refused[0].reason == 'broken: UnspokenFault'
    travels(outcome)


def test_a_fault_of_an_unknown_type_is_told_all_the_same() -> None:
    outcome = host(broken=Broken(rubbish.NamelessFault())).take(
        'region-1', flat())
    assert outcome.refused[0].reason == 'broken: a fault that cannot be told'
    travels(outcome)


@pytest.mark.parametrize('kind', [rubbish.SilentFault, rubbish.SilentError])
def test_a_plugin_whose_fault_hangs_when_it_is_told_holds_up_nobody(
        kind: type[rubbish.SilentFault]) -> None:
    let_go = threading.Event()
    with_it = PluginHost({'broken': Broken(kind(let_go)),
                          'volume': VolumeMeters()}, DEFINITIONS,
                         patience=0.1)
    outcomes = with_it.take_all('region-1', [flat(), flat()])
    assert [len(outcome.samples) for outcome in outcomes] == [2, 2]
    assert {one.code for outcome in outcomes for one in outcome.refused
            } == {errors.PluginHangs.code}
    assert with_it.left_out == ['broken']
    let_go.set()


class Thief:
    """Takes what it finds in the payload, and leaves something else."""

    event_types = ('volume.*',)

    def samples(self, notification: Notification) -> list[Sample]:
        payload: Any = notification.payload
        payload['inner']['size'] = 'stolen'
        payload['all'][0].clear()
        payload['all'].clear()
        payload.clear()
        raise KeyError('thief')


def test_what_a_plugin_does_to_a_payload_nobody_else_sees() -> None:
    payload = {'volume_id': 'v-1', 'size': 1, 'inner': {'size': 1},
               'all': [{'size': 1}]}
    asked = PluginHost({'thief': Thief(), 'volume': VolumeMeters()},
                       DEFINITIONS)
    outcome = asked.take('region-1', flat(payload=payload))
    assert len(outcome.samples) == 2
    assert json.loads(outcome.refused[0].content)['payload'] == payload
    assert (payload['inner'], payload['all']) == ({'size': 1}, [{'size': 1}])


def test_a_flood_of_characters_is_cut_off_like_one_of_samples() -> None:
    large = dataclasses.replace(good(), metadata={'a': 'x' * 8000})
    outcome = host(strange=Strange(lambda: [large] * 9999)).take('region-1',
                                                                 flat())
    assert [one.code for one in outcome.refused] == [errors.PluginFloods.code]
    travels(outcome)


def test_who_is_switched_off_is_named_with_the_reason() -> None:
    class Other(Instead):
        event_types: Any = ('other.*',)

    other = Other()
    [off, on] = [host(profiles, other=other)
                 for profiles in (('metric',), ('versioned',))]
    assert off.take('region-1', flat(event_type='other.x')) == Outcome(
        switched_off={'other': 'its profile is off: versioned'})
    assert on.take('region-1', flat()) == Outcome(
        switched_off={'volume': 'instead of it is asked: other'})


@pytest.mark.parametrize(('change', 'reason'), [
    ({'priority': 'ERROR'}, 'priority'), ({'payload': 7}, 'payload')])
def test_why_nothing_is_metered_is_told(change: dict[str, Any], reason: str
                                        ) -> None:
    told = host().take('region-1', flat(**change)).unmetered
    assert told is not None
    assert reason in told


def test_a_flood_is_cut_off_and_nothing_of_it_is_taken() -> None:
    with_it = host(strange=Strange(lambda: itertools.repeat(good())))
    outcome = with_it.take('region-1', flat())
    assert len(outcome.samples) == 2
    assert [one.code for one in outcome.refused] == [errors.PluginFloods.code]


def test_a_plugin_cannot_end_the_process() -> None:
    outcome = host(strange=Strange(sys.exit)).take('region-1', flat())
    assert len(outcome.samples) == 2
    assert 'SystemExit' in outcome.refused[0].reason


def test_a_plugin_that_hangs_holds_up_nobody_for_long(
        hanging: Hanging) -> None:
    with_it = PluginHost({'strange': hanging, 'volume': VolumeMeters()},
                         DEFINITIONS, patience=0.01)
    outcome = with_it.take('region-1', flat())
    assert len(outcome.samples) == 2
    assert [one.code for one in outcome.refused] == [errors.PluginHangs.code]


def test_while_a_plugin_hangs_it_is_not_asked_again(
        hanging: Hanging, caplog: pytest.LogCaptureFixture) -> None:
    with_it = PluginHost({'strange': hanging}, DEFINITIONS, patience=0.01)
    outcomes = [with_it.take('region-1', flat()) for _ in range(9)]
    assert with_it.left_out == ['strange']
    assert all(len(outcome.refused) == 1 for outcome in outcomes)
    assert with_it.counts['fault strange'] == 9
    assert (len(hanging.asked), len(caplog.messages)) == (1, 1)


def test_a_plugin_that_hung_is_tried_again_after_growing_pauses(
        hanging: Hanging) -> None:
    now = [0.0]
    with_it = PluginHost({'strange': hanging}, DEFINITIONS, patience=0.01,
                         clock=lambda: now[0])
    asked_at: list[float] = []
    for now[0] in range(0, 11_000, 30):
        before = len(hanging.asked)
        with_it.take('region-1', flat())
        if len(hanging.asked) > before:
            asked_at.append(now[0])
            hanging.asked[-1].set()
            until(lambda: not with_it._patience._calls.hanging, 10,
                  'the plugin to come back')
    assert [after - before for before, after in
            itertools.pairwise(asked_at)] == [
        60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_a_plugin_that_answers_again_is_asked_as_before(
        hanging: Hanging, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    now = [0.0]
    with_it = PluginHost({'strange': hanging}, DEFINITIONS, patience=0.01,
                         clock=lambda: now[0])
    for _ in range(2):
        with_it.take('region-1', flat())
        assert with_it.left_out == ['strange']
        hanging.asked[-1].set()
        until(lambda: not with_it._patience._calls.hanging, 10,
              'the plugin to come back')
        hanging.answers = True
        now[0] += 60
        for _ in range(3):
            assert with_it.take('region-1', flat()).refused == ()
        hanging.answers = False
    assert with_it.left_out == []
    assert [line.split(',')[0].split(' plugin=')[0]
            for line in caplog.messages] == [
        'notification refused', 'plugin answers again'] * 2


def test_an_own_time_out_of_a_plugin_is_a_fault_like_others() -> None:
    def own() -> None:
        raise TimeoutError('the mail server')

    with_it = host(strange=Strange(own))
    for _ in range(9):
        with_it.take('region-1', flat())
    assert with_it.left_out == []


@pytest.mark.parametrize('event_types', [None, 'volume.*', (), (1,)])
def test_what_says_no_event_types_is_no_plugin(event_types: Any) -> None:
    plugin = Mail()
    setattr(plugin, 'event_types', event_types)  # noqa: B010
    with pytest.raises(errors.InvalidPlugin, match='event_types'):
        host(mail=plugin)
