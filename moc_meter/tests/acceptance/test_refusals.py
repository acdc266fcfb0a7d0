# SPDX-License-Identifier: Apache-2.0
"""What stops a process at its start: one sentence, and status 2."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from kombu.entity import Exchange, Queue

from moc_meter.tests.acceptance.system import Process, configured
from moc_meter.tests.servers.base import free_port
from moc_meter.tests.servers.rabbitmq import connect

AGENT, COLLECTOR, API, JOBS, ALONE = (
    f'moc-meter-{name}'
    for name in ('agent', 'collector', 'api', 'jobs', 'all-in-one'))
NOWHERE = 'amqp://guest:guest@127.0.0.1:1/'
POLLED = {'polling.hypervisor': '', 'polling.hardware': 'cpu'}

#: Starts a process and returns its one sentence.
Refusal = Callable[..., str]


@pytest.fixture
def refusal(tmp_path: Path) -> Refusal:
    def refused(script: str, *arguments: str | Path,
                settings: Mapping[str, object] | None = None,
                more: str = '') -> str:
        file = configured(tmp_path / script, script, {
            'DEFAULT.state_dir': tmp_path / 'state',
            **({'api.port': 0} if script in (API, ALONE) else {}),
            **(settings or {})})
        file.write_text(file.read_text() + more)
        with Process(script, '--config-file', file, *arguments,
                     folder=file.parent) as process:
            assert process.wait() == 2, process.last_words
            *usage, sentence = process.complained.splitlines()
            assert sentence.startswith(f'{script}: ')
            assert usage in ([], [f'usage: {script} [OPTION ...]'])
            assert process.said == ''
            return sentence

    return refused


@pytest.mark.parametrize('host', ['0.0.0.0', '::'])
def test_listening_for_everybody_must_be_wanted(
        refusal: Refusal, tmp_path: Path, host: str) -> None:
    sentence = refusal(ALONE, '--host', host)
    assert '--insecure-listen-anywhere' in sentence
    with Process(ALONE, '--host', host, '--insecure-listen-anywhere',
                 '--port', '0', '--state-dir', tmp_path / 's',
                 folder=tmp_path / 'wanted') as process:
        assert host in process.url
        assert process.end() == 0


def test_an_occupied_port_is_named(refusal: Refusal, tmp_path: Path) -> None:
    with Process(ALONE, '--port', '0', '--state-dir', tmp_path / 'other',
                 folder=tmp_path / 'other') as holder:
        port = holder.url.rpartition(':')[2]
        for sentence in (
                refusal(ALONE, '--port', port),
                refusal(API, settings={
                    'api.port': port, 'messaging.url': NOWHERE,
                    'database.url': f'sqlite:///{tmp_path}/other/'
                                    'samples.sqlite'})):
            assert f'port={port}' in sentence
            assert 'in use' in sentence
        assert holder.end() == 0


@pytest.mark.parametrize('script', [AGENT, COLLECTOR, API, JOBS, ALONE])
def test_an_unknown_option_is_named(refusal: Refusal, script: str) -> None:
    assert '--colour' in refusal(script, '--colour', 'red')
    assert "option='colour'" in refusal(script, more='colour = red\n')


def test_an_unknown_section_and_a_wrong_value_are_named(refusal: Refusal
                                                        ) -> None:
    assert "section='paint'" in refusal(ALONE, more='[paint]\nred = 1\n')
    sentence = refusal(ALONE, settings={'polling.interval': 'soon'})
    assert "option='interval'" in sentence


def test_a_file_of_options_that_is_not_there_is_named(
        refusal: Refusal, tmp_path: Path) -> None:
    assert 'none.conf' in refusal(ALONE, '--config-file',
                                  tmp_path / 'none.conf')


@pytest.mark.parametrize('script', [COLLECTOR, API])
@pytest.mark.parametrize(('url', 'said'), [
    ('nonsense', 'the URL of the database cannot be read'),
    ('oracle://user:hidden@h/x', 'no such kind of database'),
    ('sqlite:////nowhere/at/all', '/nowhere/at/all'),
    ('', "option='url'"),
])
def test_a_wrong_database_url_is_refused(refusal: Refusal, script: str,
                                         url: str, said: str) -> None:
    sentence = refusal(script, settings={'messaging.url': NOWHERE,
                                         'database.url': url})
    assert said in sentence
    assert 'hidden' not in sentence


@pytest.mark.parametrize('script', [COLLECTOR, API, JOBS])
def test_a_database_without_our_schema_is_refused(
        refusal: Refusal, sqlite_url: str, script: str) -> None:
    bus = {} if script == JOBS else {'messaging.url': NOWHERE}
    sentence = refusal(script, settings={'database.url': sqlite_url, **bus})
    assert 'moc-meter-manage db upgrade' in sentence


def test_a_state_folder_that_cannot_be_made_is_named(
        refusal: Refusal, tmp_path: Path) -> None:
    (tmp_path / 'file').touch()
    folder = tmp_path / 'file' / 'state'
    assert str(folder) in refusal(ALONE, '--state-dir', folder)


def test_a_second_one_on_the_same_state_folder_is_refused(
        refusal: Refusal, tmp_path: Path) -> None:
    with Process(ALONE, '--port', '0', '--state-dir', tmp_path / 'state',
                 folder=tmp_path / 'first') as first:
        first.wait_for('started: services')
        sentence = refusal(ALONE)
        assert 'another process has it open' in sentence
        assert f"pid='{first.pid}'" in sentence
        assert first.end() == 0


def test_an_agent_with_nothing_to_do_is_refused(refusal: Refusal) -> None:
    assert 'nothing to do' in refusal(AGENT, settings={
        'messaging.url': NOWHERE, 'polling.hypervisor': '',
        'polling.hardware': ''})


@pytest.mark.parametrize('script', [AGENT, COLLECTOR, API])
def test_a_queue_with_other_arguments_is_named(
        refusal: Refusal, amqp_url: str, sqlite_url: str, script: str
        ) -> None:
    with connect(amqp_url) as wire:
        Queue('moc_meter.samples',  # type: ignore[no-untyped-call]
              durable=True)(wire.default_channel).queue_declare()
    sentence = refusal(script, settings={
        'messaging.url': amqp_url,
        **(POLLED if script == AGENT else {'database.url': sqlite_url})})
    assert "queue='moc_meter.samples'" in sentence
    assert "argument='x-" in sentence


@pytest.mark.parametrize('script', [AGENT, ALONE])
def test_a_queue_of_the_cloud_with_other_arguments_is_named(
        refusal: Refusal, amqp_url: str, script: str) -> None:
    with connect(amqp_url) as wire:
        Queue('notifications.info',  # type: ignore[no-untyped-call]
              exchange=Exchange(  # type: ignore[no-untyped-call]
                  'nova', type='topic', durable=False),
              routing_key='notifications.info', durable=False,
              max_length=10)(wire.default_channel).declare()
    sentence = refusal(script, settings={
        **POLLED, 'notification.url': amqp_url.replace('amqp:', 'rabbit:'),
        **({'messaging.url': NOWHERE} if script == AGENT else {})})
    assert "queue 'notifications.info'" in sentence
    assert 'x-max-length' in sentence


@pytest.mark.parametrize('url', ['nonsense', 'kafka://h/', 'rabbit://h:x/'])
def test_a_wrong_url_of_a_bus_is_refused(refusal: Refusal, url: str) -> None:
    assert 'bus' in refusal(AGENT, settings={**POLLED, 'messaging.url': url})
    assert 'bus' in refusal(AGENT, settings={
        **POLLED, 'messaging.url': f'amqp://127.0.0.1:{free_port()}/',
        'notification.url': url})
