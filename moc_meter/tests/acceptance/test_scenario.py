# SPDX-License-Identifier: Apache-2.0
"""One scenario, through the all-in-one and through separate processes.

What the house answers does not depend on how it is put up: the answers are
the same, byte for byte. Only when a sample was recorded, which the server's
clock says, is set aside; and all are asked by the same name, as their links
repeat it.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from moc_meter import signing
from moc_meter.model.events import EventSelection, TraitRule
from moc_meter.model.expression import Op
from moc_meter.model.traits import Trait, TraitType
from moc_meter.storage.samples.sql import SqlSampleStore
from moc_meter.tests.acceptance import captured, scenario
from moc_meter.tests.acceptance.system import (
    PATIENCE,
    Answer,
    Process,
    ask,
    configured,
    deployed,
)
from moc_meter.tests.servers.base import ServerFailed, until
from moc_meter.tests.servers.mariadb import MariaDB
from moc_meter.tests.servers.postgresql import PostgreSQL
from moc_meter.tests.servers.rabbitmq import RabbitMQ
from moc_meter.tests.stores import migrated

SYSTEMS = ('all-in-one', 'postgresql', 'mariadb')
_RECORDED = re.compile(
    rb'(recorded_at(?:": "|>))\d{4}-\d\d-\d\dT[\d:.]+')
_HOST = {'Host': 'localhost:8777'}
#: Some of an instance's creation.
_TRAITS = (
    Trait(name='service', type=TraitType.STRING, value='compute'),
    Trait(name='state', type=TraitType.STRING, value='active'),
    Trait(name='memory_mb', type=TraitType.INTEGER, value=512),
    Trait(name='launched_at', type=TraitType.DATETIME,
          value=datetime.datetime(2012, 5, 8, 20, 23, 47, 985999,
                                  datetime.UTC)))
_NOT_POLLED = {'polling.hypervisor': '', 'polling.hardware': ''}


@dataclass
class System:
    """Processes that serve one API."""

    processes: list[Process]

    @property
    def url(self) -> str:
        return self.processes[0].url

    @property
    def samples(self) -> list[dict[str, Any]]:
        """All in the store."""
        found: list[dict[str, Any]] = json.loads(
            ask(self.url, '/v2/samples?limit=100000').body)
        return found

    def await_samples(self, wanted: int) -> None:
        try:
            until(lambda: len(self.samples) >= wanted, PATIENCE,
                  f'{wanted} samples in the store')
        except ServerFailed as failure:
            for process in self.processes:
                failure.add_note(process.last_words)
            raise

    def answers(self) -> dict[str, Answer]:
        """To everything that the scenario posts and asks."""
        posted = {f'POST {number} {path}': self._ask(
                      path, body=json.dumps(samples).encode())
                  for number, (path, samples) in enumerate(scenario.POSTS)}
        self.await_samples(TOTAL)
        first = json.loads(next(iter(posted.values())).body)[0]
        return posted | {
            path: self._ask(path.replace('ID', first['message_id']))
            for _, path in scenario.ASKED
        } | {name: self._ask(path, headers=headers)
             for name, (_, path, headers) in WITH.items()}

    def _ask(self, path: str, body: bytes | None = None,
             headers: Mapping[str, str] | None = None) -> Answer:
        found = ask(self.url, path, body=body,
                    headers={**_HOST, **(headers or {})})
        return found._replace(body=_RECORDED.sub(rb'\1WHEN', found.body))


LINES, NOTIFIED = scenario.notified()
TOTAL = len(NOTIFIED) + scenario.POSTED
WITH = {f'{path} {headers}': (status, path, headers)
        for status, path, headers in scenario.ASKED_WITH}
STATUS = ({path: status for status, path in scenario.ASKED}
          | {name: status for name, (status, _, _) in WITH.items()})


@dataclass(frozen=True)
class Outcome:
    """What the three systems did; by their names."""

    systems: dict[str, System]          # ended
    notified: dict[str, list[tuple[Any, ...]]]      # spelled, in order
    counts: dict[str, int]
    answers: dict[str, dict[str, Answer]]
    database: str                       # URL of PostgreSQL's


@pytest.fixture(scope='module')
def outcome(tmp_path_factory: pytest.TempPathFactory,
            rabbitmq_server: RabbitMQ, postgresql_server: PostgreSQL,
            mariadb_server: MariaDB) -> Outcome:
    """All three live through the scenario side by side and are ended."""
    folder = tmp_path_factory.mktemp('scenario')
    cloud = rabbitmq_server.create_vhost().replace('amqp:', 'rabbit:')
    database = postgresql_server.create_database()
    with contextlib.ExitStack() as stack:
        systems = {
            'all-in-one': all_in_one(stack, folder / 'a', cloud),
            'postgresql': distributed(
                stack, folder / 'p', cloud, 'postgresql',
                database, rabbitmq_server.create_vhost(), signed=True),
            'mariadb': distributed(
                stack, folder / 'm', cloud, 'mariadb',
                mariadb_server.create_database(),
                rabbitmq_server.create_vhost())}
        notified = notify(cloud, systems)
        answers = {name: system.answers()
                   for name, system in systems.items()}
        counts = {name: len(system.samples)
                  for name, system in systems.items()}
        for system in systems.values():
            for process in system.processes:
                process.end()
        return Outcome(systems=systems, notified=notified, counts=counts,
                       answers=answers, database=database)


def all_in_one(stack: contextlib.ExitStack, folder: Path, cloud: str
               ) -> System:
    script = 'moc-meter-all-in-one'
    file = configured(folder, script, {
        **_NOT_POLLED, 'notification.url': cloud,
        'notification.topics': 'all-in-one', 'DEFAULT.state_dir': folder,
        'api.port': 0})
    process = stack.enter_context(
        Process(script, '--config-file', file, folder=folder))
    process.wait_for('listening exchanges')
    return System([process])


def distributed(stack: contextlib.ExitStack, folder: Path, cloud: str,
                topic: str, database: str, bus: str, *, signed: bool = False
                ) -> System:
    """Four processes that share a broker and a database, and nothing else.

    signed: whether every message is signed, by a key of each process.
    """
    settings: dict[str, dict[str, object]] = {
        'moc-meter-api': {'messaging.url': bus, 'database.url': database,
                          'api.port': 0},
        'moc-meter-agent': {
            **_NOT_POLLED, 'messaging.url': bus, 'notification.url': cloud,
            'notification.topics': topic,
            'DEFAULT.state_dir': folder / 'agent-state'},
        'moc-meter-collector': {'messaging.url': bus,
                                'database.url': database},
        'moc-meter-jobs': {'database.url': database}}
    if signed:
        sign(folder, settings)
    return System(list(deployed(stack, folder, settings).values()))


def sign(folder: Path, settings: Mapping[str, dict[str, object]]) -> None:
    (folder / 'trusted').mkdir(parents=True)
    for script in ('moc-meter-api', 'moc-meter-agent'):
        key = folder / f'{script}.pem'
        signing.generate(key, folder / 'trusted' / key.name)
        settings[script]['messaging.signing_key'] = key
    settings['moc-meter-collector'][
        'messaging.trusted_keys'] = folder / 'trusted'


def notify(url: str, systems: Mapping[str, System]
           ) -> dict[str, list[tuple[Any, ...]]]:
    """A cloud notifies in another process; all three hear the same."""
    begun = datetime.datetime.now(datetime.UTC)
    options = json.dumps({'url': url, 'topics': list(systems)})
    subprocess.run(
        [sys.executable, '-m', 'moc_meter.tests.acceptance.cloud'],
        input='\n'.join((options, *LINES)), text=True, check=True,
        timeout=PATIENCE)
    ended = datetime.datetime.now(datetime.UTC)
    for system in systems.values():
        system.await_samples(len(NOTIFIED))
    return {name: captured.spelled(system.samples, begun, ended)
            for name, system in systems.items()}


@pytest.mark.parametrize('name', SYSTEMS)
def test_captured_notifications_give_the_samples_that_they_must(
        outcome: Outcome, name: str) -> None:
    assert len(LINES) == 2 * 93
    found = outcome.notified[name]
    assert [one[:-1] for one in found] == [one[:-1] for one in NOTIFIED]
    assert [one[-1] for one in found] == pytest.approx(
        [one[-1] for one in NOTIFIED], rel=1e-9)


def test_every_sample_is_there_once_in_every_system(outcome: Outcome
                                                    ) -> None:
    assert outcome.counts == dict.fromkeys(SYSTEMS, TOTAL)


def test_what_ended_is_an_event_with_typed_traits(outcome: Outcome) -> None:
    created = 'compute.instance.create.end'
    ended = [one.flat['event_type'] for one in captured.notifications()
             if one.flat['event_type'].endswith('.end')]
    with migrated(outcome.database) as engine:
        store = SqlSampleStore(engine)
        found = [one.sample for one in store.events(EventSelection(), 1000)
                 if one.sample.meter.endswith('.end')]
        # Sent with both drivers, so there are two of each.
        assert Counter(one.meter for one in found) == Counter(2 * ended)
        assert {one.resource_id for one in found if one.meter == created} == {
            '9f9d01b9-4a58-4271-9e27-398b21ab20d1'}
        for trait in _TRAITS:
            assert len(store.events(EventSelection(
                event_type=created,
                traits=(TraitRule(op=Op.EQ, than=trait),)), 9)) == 2


@pytest.mark.parametrize('question', STATUS)
def test_a_question_is_answered_the_same_byte_for_byte(
        outcome: Outcome, question: str) -> None:
    alone = outcome.answers['all-in-one'][question]
    assert alone.status == STATUS[question], alone.body
    assert alone.body
    for name in SYSTEMS[1:]:
        assert outcome.answers[name][question] == alone, name


def test_posted_samples_are_answered_the_same_byte_for_byte(
        outcome: Outcome) -> None:
    said = {name: {question: answer for question, answer in answers.items()
                   if question.startswith('POST')}
            for name, answers in outcome.answers.items()}
    assert [answer.status for answer in said['all-in-one'].values()] == [
        201] * 5 + [400] * 5
    assert said['postgresql'] == said['all-in-one']
    assert said['mariadb'] == said['all-in-one']


def test_the_answers_are_about_something(outcome: Outcome) -> None:
    answers = outcome.answers['all-in-one']
    empty = {question for question, answer in answers.items()
             if answer.body.strip() == b'[]'}
    assert empty == {
        '/v2/meters/no.such.meter', '/v2/meters/no.such.meter/statistics',
        '/v2/resources?' + scenario.rule('metadata.name', 'nobody')}
    [tenths] = [row for row in json.loads(
        answers['/v2/meters/exact/statistics?groupby=resource_id'].body)
        if row['groupby'] == {'resource_id': 'tenths'}]
    assert (tenths['count'], tenths['sum']) == (10, 1.0)


def test_every_process_ended_well_and_had_nothing_to_complain_of(
        outcome: Outcome) -> None:
    processes = [process for system in outcome.systems.values()
                 for process in system.processes]
    assert len(processes) == 9
    for process in processes:
        assert process.wait() == 0
        assert not re.search('WARNING|ERROR|Traceback',
                             process.said + process.complained)
