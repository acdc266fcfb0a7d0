# SPDX-License-Identifier: Apache-2.0
"""A check finds what a service does wrongly, and says what it is."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Callable, Iterator, Sequence
from urllib import parse as urls

import pytest

from moc_meter.tests.functional.truth.pretender import Pretender
from moc_meter.truth import answers, counters, reading
from moc_meter.truth.check import check
from moc_meter.truth.forms import SECOND, Sample
from moc_meter.truth.questions import Kind, Question, parse
from moc_meter.truth.report import Report
from moc_meter.truth.selection import Selection
from moc_meter.truth.world import World

HOUR = 3600 * SECOND
WORLD = World(3)
EXACT = World(3, decimals=True)
SAMPLES = list(WORLD.samples())


@pytest.fixture(scope='module')
def honest() -> Iterator[Pretender]:
    with Pretender(SAMPLES) as service:
        yield service


def checked(pretender: Pretender, world: World = WORLD, count: int = 100
            ) -> Report:
    with pretender as service:
        return check(service.url, world, questions=count)


def likely(report: Report) -> str:
    """The commonest hint of wrong answers."""
    found = [wrong.hint for wrong in report.wrong if wrong.hint]
    return max(sorted(set(found)), key=found.count)


def test_a_right_service_is_found_right(honest: Pretender) -> None:
    progress: list[tuple[str, int]] = []
    report = check(honest.url, WORLD, questions=500,
                   progress=lambda *done: progress.append(done))
    assert report.ok, report.text()
    assert (report.differences, report.questions) == (0, 500)
    assert progress[-1] == ('questions', 500)
    assert ('samples', len(SAMPLES)) in progress
    assert report.text().endswith('all is as it should be')


def test_all_digits_are_compared() -> None:
    assert checked(Pretender(list(EXACT.samples())), EXACT).ok


def test_a_float_is_found() -> None:
    report = checked(Pretender(list(EXACT.samples()),
                               number=lambda value: repr(float(value))),
                     EXACT)
    assert 'float' in likely(report)
    [hint] = report.hints
    assert hint == (
        'bent volumes are the nearest binary doubles of '
        'the truth: a float')


def test_a_lost_last_batch_is_found() -> None:
    sent = list(WORLD.delivered())
    first = {one.message_id: place for place, one
             in reversed(list(enumerate(sent)))}
    cut = sorted(first.values())[-40]
    kept = [sample for sample in SAMPLES if first[sample.message_id] < cut]
    report = checked(Pretender(kept))
    assert report.reading
    assert len(report.reading.lost) == 40
    assert report.hints[0] == (
        'the lost ones are the last 40 that were sent (arrival): a last '
        'batch was not stored')
    assert 'samples that the service shows' in likely(report)


def test_a_doubled_retry_is_found() -> None:
    twice = list(WORLD.delivered())
    report = checked(Pretender(twice))
    assert report.reading
    assert len(report.reading.doubled) == len(twice) - len(SAMPLES)
    [hint] = report.hints
    assert hint == (
        'the doubled ones were sent twice: a retry is '
        'stored again')


def test_a_copy_under_another_id_is_found() -> None:
    copy = SAMPLES[5]._replace(message_id='other')
    report = checked(Pretender([*SAMPLES, copy]), count=0)
    assert report.reading
    assert report.reading.copies == {'other': SAMPLES[5].message_id}
    assert 'other is' in report.text()


def test_what_is_not_of_the_world_is_found() -> None:
    stranger = SAMPLES[5]._replace(message_id='other', volume=1)
    report = checked(Pretender([*SAMPLES, stranger]), count=0)
    assert report.reading
    assert report.reading.strange == ['other']


def test_a_sample_that_is_there_at_two_times_is_doubled() -> None:
    moved = SAMPLES[5]._replace(timestamp=SAMPLES[0].timestamp - 10 ** 12)
    report = checked(Pretender([*SAMPLES, moved]), count=0)
    assert report.reading
    assert report.reading.doubled == {SAMPLES[5].message_id: 2}


def test_a_time_zone_is_found() -> None:
    report = checked(Pretender([
        sample._replace(timestamp=sample.timestamp + 2 * HOUR)
        for sample in SAMPLES]), count=20)
    [hint] = report.hints
    assert hint == (
        f'the timestamps of {len(SAMPLES)} samples are shifted by 2:00:00: '
        'a time zone')


def test_swapped_projects_are_found() -> None:
    one, other = 'climate', 'genomics'
    report = checked(Pretender(counters.renamed(
        SAMPLES, 'project_id', {one: other, other: one})), count=0)
    assert 'the other way: they are exchanged' in report.hints[0]


def test_project_and_user_exchanged_are_found() -> None:
    report = checked(Pretender([
        sample._replace(project_id=sample.user_id, user_id=sample.project_id)
        for sample in SAMPLES]), count=0)
    assert report.hints[0].startswith('project and user are exchanged')


def test_a_counter_that_never_falls_is_found() -> None:
    highest: dict[tuple[str, str], int] = {}
    bent = []
    for sample in WORLD.delivered('shuffled'):
        if sample.kind == 'cumulative':
            series = (sample.meter, sample.resource_id)
            highest[series] = max(highest.get(series, 0), sample.volume)
            sample = sample._replace(volume=highest[series])
        bent.append(sample)
    once = {sample.message_id: sample for sample in bent}
    report = checked(Pretender(list(once.values())), count=0)
    assert 'a reset is not believed' in report.hints[0]


def test_other_doubles_are_explained_as_well() -> None:
    once = checked(Pretender([*SAMPLES, *SAMPLES[100:130]]), count=0)
    assert 'sent again, is stored again' in once.hints[0]


@pytest.mark.parametrize('fault', counters.FAULTS)
def test_a_counter_handled_wrongly_is_found(fault: str) -> None:
    report = checked(Pretender(counters.FAULTS[fault](SAMPLES)), count=0)
    assert any(hint.startswith(fault) for hint in report.hints)


def test_a_wrong_unit_is_found() -> None:
    report = checked(Pretender([
        sample._replace(volume=sample.volume * 1024)
        if sample.meter == 'memory' else sample for sample in SAMPLES]),
        count=0)
    [hint] = report.hints
    assert hint == (
        'bent volumes are 1024 times what they should '
        'be: a unit')


Judge = Callable[[Question, Selection], answers.Answer]


def _statistics(change: Callable[[Question, Selection], Selection]) -> Judge:
    """Wrong in statistics alone."""
    def judge(question: Question, chosen: Selection) -> answers.Answer:
        if question.kind == Kind.STATISTICS:
            chosen = change(question, chosen)
        return answers.blank(question, chosen)
    return judge


def _moved(side: str, op: str, by: int) -> Judge:
    return _statistics(
        lambda question, chosen: dataclasses.replace(
            chosen, **{side: getattr(chosen, side) + by})
        if any(rule.op == op for rule in question.rules) else chosen)


def _zone(question: Question, chosen: Selection) -> Selection:
    def shifted(bound: int | None) -> int | None:
        return None if bound is None else bound + 2 * HOUR
    return dataclasses.replace(
        chosen, start=chosen.start + 2 * HOUR, end=chosen.end + 2 * HOUR,
        lower=shifted(chosen.lower), upper=shifted(chosen.upper))


def _unruled(question: Question, chosen: Selection) -> Selection:
    return dataclasses.replace(chosen, equal=tuple(
        pair for pair in chosen.equal if pair[1] != 'climate'))


@pytest.mark.parametrize(('judge', 'hint'), [
    (_moved('end', 'lt', 1), 'exactly at the end (<= for <)'),
    (_moved('start', 'ge', 1), 'exactly at the start (> for >=)'),
    (_moved('end', 'le', -1), 'exactly at the end (< for <=)'),
    (_moved('start', 'gt', -1), 'exactly at the start (>= for >)'),
    (_moved('end', 'lt', -1), 'a microsecond beside the end'),
    (_statistics(_zone), 'a range shifted by 2:00:00: a time zone'),
    (_statistics(_unruled), 'eq climate is not heeded'),
    (lambda question, chosen: answers.blank(question, chosen, nudge=-1),
     'counts in the first of them')])
def test_a_fault_in_answers_is_found(judge: Judge, hint: str) -> None:
    report = checked(Pretender(SAMPLES, judge), count=300)
    assert report.reading
    assert report.reading.ok
    assert hint in likely(report), report.text()


def counting(samples: Sequence[Sample], count: int = 100) -> Report:
    return checked(Pretender(SAMPLES, counted=samples), count=count)


def test_rollups_of_what_was_staged_are_found() -> None:
    report = counting(list(WORLD.delivered()))
    assert 'what was sent twice counts twice' in likely(report)


def test_a_stale_cache_is_found() -> None:
    once = list({sample.message_id: sample for sample
                 in WORLD.delivered()}.values())
    report = counting(once[:-150])
    assert 'it is stale' in likely(report)
    assert any('and those sent after it' in wrong.detail
               for wrong in report.wrong)


def test_a_single_sample_that_is_not_counted_is_named() -> None:
    left = next(sample for sample in SAMPLES[60:] if sample.meter == 'cpu')
    report = counting([one for one in SAMPLES if one is not left], 400)
    assert report.reading
    assert report.reading.ok
    assert report.wrong
    assert any(wrong.detail.startswith(left.message_id)
               for wrong in report.wrong)


def test_a_difference_names_what_asks_again(honest: Pretender) -> None:
    lost = Pretender(SAMPLES[:-1])
    with lost as service:
        report = check(service.url, WORLD, questions=100)
        [first, *_] = report.wrong
        command = report.command(first.question)
        assert command.startswith(
            f'moc-meter truth check --url {service.url} --seed 3 --scale '
            'small --question ')
        again = check(service.url, WORLD, only=[first.question.url()])
    assert (again.questions, len(again.wrong)) == (1, 1)
    assert again.reading is None
    assert check(honest.url, WORLD, only=[first.question.url()]).ok


def test_a_report_is_json_as_well() -> None:
    report = checked(Pretender(SAMPLES[:-1]))
    document = json.loads(json.dumps(report.document()))
    assert not document['ok']
    [lost] = document['samples']['each']['lost']
    assert lost['id'] == SAMPLES[-1].message_id
    assert lost['again'].endswith(
        f' --question /v2/samples/{urls.quote(lost["id"], safe="")}')
    assert document['questions']['wrong'] == len(report.wrong)
    assert document['questions']['each'][0]['differences']


def test_many_samples_are_read_by_halves(
        honest: Pretender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, 'STRETCH', 90)
    monkeypatch.setattr(reading, 'PAGE', 40)
    report = check(honest.url, WORLD, questions=0)
    assert report.ok, report.text()
    assert report.reading
    assert report.reading.read == len(SAMPLES)


def test_reading_ends_early_where_all_is_amiss(
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, 'STRETCH', 90)
    monkeypatch.setattr(reading, 'MOST', 50)
    report = checked(Pretender(()))
    assert report.reading
    assert report.reading.stopped
    assert len(report.reading.lost) < 200
    assert 'reading ended early' in report.text()
    assert report.questions == 0
    assert 'none asked' in report.text()


def test_another_source_of_the_same_seed_does_not_matter() -> None:
    other = World(3, source='another')
    report = checked(Pretender([*SAMPLES, *other.samples()]), count=300)
    assert report.ok, report.text()


def test_all_that_is_wrong_is_named_with_what_asks_again() -> None:
    """Each command, asked again, finds what it is about."""
    stranger = SAMPLES[-1]._replace(message_id='other', volume=1)
    with Pretender([*SAMPLES[20:], *SAMPLES[30:45], stranger]) as at:
        report = check(at.url, WORLD, questions=20)
        document = json.loads(json.dumps(report.document()))
        found = document['samples']['each']
        for kind in 'lost', 'doubled', 'strange':
            assert len(found[kind]) == document['samples'][kind] > 0
            *_, question = shlex.split(found[kind][0]['again'])
            again = check(at.url, WORLD, only=[question])
            assert len(again.wrong) == 1, question
    assert len(document['questions']['each']) == len(report.wrong)
    text = report.text()
    assert text.count('\n  lost: ') == 10 < document['samples']['lost']


def test_where_nothing_was_sent_no_fault_is_guessed() -> None:
    report = checked(Pretender(()))
    [hint] = report.hints
    assert hint.startswith('nothing of source truth-3 is there: was it sent')
    assert {wrong.hint for wrong in report.wrong} == {hint}


def test_where_another_world_was_sent_that_is_said() -> None:
    other = World(4, source='truth-3')
    report = checked(Pretender(list(other.samples())))
    [hint] = report.hints
    assert 'is of another world: was it sent with this --seed' in hint


def test_what_is_kept_of_wrong_answers_is_short() -> None:
    report = checked(Pretender([
        sample._replace(unit='x') for sample in SAMPLES]), count=200)
    assert len(report.wrong) > 100
    assert all(wrong.evidence is None and len(wrong.differences) <= 10
               for wrong in report.wrong)
    assert len(json.dumps(report.document()['questions'])) < 20_000 * len(
        report.wrong)


@pytest.mark.parametrize(('limit', 'right'), [
    (50, False), (100, True), (150, True)])
def test_a_list_without_a_limit_has_at_least_a_hundred(
        limit: int, right: bool) -> None:
    def judge(question: Question, chosen: Selection) -> answers.Answer:
        return answers.blank(dataclasses.replace(
            question, limit=question.limit or limit), chosen)

    with Pretender(SAMPLES, judge) as service:
        report = check(service.url, WORLD, only=[
            '/v2/samples?q.field=source&q.value=truth-3'])
    assert report.ok is right, report.text()


def _said(path: str, body: object) -> Report:
    """Of a service that answers this, and the rest as it should."""
    with Pretender(SAMPLES, bodies={path: json.dumps(body).replace(
            '"1e400"', '1e400').encode()}) as service:
        return check(service.url, WORLD, only=[path])


@pytest.mark.parametrize('body', [
    ['x'], [None], [{'unit': ['vcpu']}], [{'avg': '1e400'}], 'x', 7])
@pytest.mark.parametrize('path', [
    '/v2/meters/vcpus/statistics', '/v2/meters/vcpus/statistics?period=3600',
    '/v2/samples', '/v2/meters', '/v2/resources', '/v2/meters/cpu'])
def test_an_answer_that_makes_no_sense_is_a_difference(
        path: str, body: object) -> None:
    report = _said(path, body)
    [wrong] = report.wrong
    assert wrong.differences
    assert report.text()
    assert json.dumps(report.document())


def test_a_figure_beyond_all_doubles_is_a_difference() -> None:
    path = '/v2/meters/vcpus/statistics'
    [answer] = answers.answer([parse(path)], SAMPLES)
    [*rows] = json.loads(json.dumps(answer.shown(), default=str))
    report = _said(path, [{**row, 'avg': '1e400', 'sum': '1e400'}
                          for row in rows])
    [wrong] = report.wrong
    assert {'avg', 'sum'} <= {one.field for one in wrong.differences}


@pytest.mark.parametrize('odd', [
    {'timestamp': ['x']}, {'timestamp': 'yesterday'}, {'volume': '1e400'},
    {'volume': ['x']}, {'project_id': ['x']}, {'id': ['x']}])
def test_a_sample_that_makes_no_sense_is_a_difference(odd: dict[str, object]
                                                      ) -> None:
    with Pretender(SAMPLES, odd=odd) as service:
        report = check(service.url, WORLD, questions=0)
    assert report.reading
    assert not report.reading.ok
    assert report.text()
    assert json.dumps(report.document())


def test_bad_timestamps_are_named() -> None:
    with Pretender(SAMPLES, odd={'timestamp': 'yesterday'}) as service:
        report = check(service.url, WORLD, questions=0)
    assert report.hints[0] == (
        f"the timestamps of {len(SAMPLES)} samples are none: 'yesterday'")
