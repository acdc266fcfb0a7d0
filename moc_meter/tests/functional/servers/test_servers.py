# SPDX-License-Identifier: Apache-2.0
"""The servers of the tests: what a test may rely on."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from kombu.exceptions import OperationalError

from moc_meter.tests.servers import base, guest
from moc_meter.tests.servers.guest import Guest
from moc_meter.tests.servers.libvirtd import Libvirtd
from moc_meter.tests.servers.mariadb import MariaDB
from moc_meter.tests.servers.postgresql import PostgreSQL
from moc_meter.tests.servers.rabbitmq import RabbitMQ, connect

SERVERS = [PostgreSQL, MariaDB, RabbitMQ, Libvirtd]
DATABASES = [PostgreSQL, MariaDB]
ROOT = Path(__file__).parents[4]


@pytest.fixture
def database(request: pytest.FixtureRequest
             ) -> Iterator[PostgreSQL | MariaDB]:
    with request.param(durable=True) as server:
        yield server


@pytest.fixture
def rabbitmq() -> Iterator[RabbitMQ]:
    with RabbitMQ() as server:
        yield server


@pytest.fixture
def libvirtd() -> Iterator[Libvirtd]:
    with Libvirtd() as server:
        yield server


def write(url: str, number: int) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as conn:
        conn.execute(sa.text('CREATE TABLE IF NOT EXISTS t (n INTEGER)'))
        conn.execute(sa.text('INSERT INTO t VALUES (:n)'), {'n': number})


def numbers(url: str) -> list[int]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as conn:
        return list(conn.scalars(sa.text('SELECT n FROM t ORDER BY n')))


def answer(url: str, question: str) -> object:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as conn:
        return conn.scalar(sa.text(question))


def publish(url: str, queue: str) -> None:
    with connect(url) as wire, wire.SimpleQueue(queue) as target:
        target.put({'volume': '1'})


def first_disk(server: Libvirtd, machine: Guest) -> dict[str, int]:
    """Its figures, as libvirt counts them."""
    lines = server.virsh('domstats', '--block', machine.name).splitlines()
    figures = dict(line.strip().partition('=')[::2] for line in lines)
    return {name: int(figures[f'block.0.{name}'])
            for name in ('rd.reqs', 'rd.bytes', 'wr.reqs', 'wr.bytes')}


def alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if base.is_alive(pid)]


# All of them

@pytest.mark.parametrize('kind', SERVERS)
def test_nothing_is_left_after_close(kind: type[base.Server]) -> None:
    server = kind().start()
    pids, folder = server.pids, server.folder
    server.close()
    assert pids
    assert not alive(pids)
    assert not folder.exists()


@pytest.mark.parametrize('kind', SERVERS)
def test_nothing_runs_after_a_kill(kind: type[base.Server]) -> None:
    with kind() as server:
        pids = server.pids
        server.kill()
        assert not alive(pids)
        assert not server.running


@pytest.mark.parametrize('kind', SERVERS)
def test_start_and_stop_may_be_repeated(kind: type[base.Server]) -> None:
    server = kind()
    server.stop()
    pids = server.start().main_pids
    assert server.start().main_pids == pids
    server.stop()
    server.stop()
    assert not alive(pids)
    server.close()
    server.close()


@pytest.mark.parametrize('kind', SERVERS)
def test_two_of_a_kind_run_side_by_side(kind: type[base.Server]) -> None:
    with kind() as one, kind() as other:
        assert not set(one.pids) & set(other.pids)
        one.kill()
        assert alive(other.main_pids) == other.main_pids


@pytest.mark.parametrize(('kind', 'package'), [
    (PostgreSQL, 'postgresql'),
    (MariaDB, 'mariadb-server'),
    (RabbitMQ, 'erlang-base'),
    (Libvirtd, 'libvirt-daemon'),
])
def test_a_missing_program_is_an_error_that_names_the_package(
        kind: type[base.Server], package: str,
        monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_: str, *, path: str) -> None:
        return None
    monkeypatch.setattr(shutil, 'which', nothing)
    with pytest.raises(base.MissingServer,
                       match=f'apt-get install {package}$'):
        kind().start()


def test_a_failed_start_shows_the_log_and_leaves_nothing(
        monkeypatch: pytest.MonkeyPatch) -> None:
    server = PostgreSQL(timezone='Nowhere/Never')
    with pytest.raises(base.ServerFailed) as failure:
        server.start()
    assert 'Nowhere/Never' in ''.join(failure.value.__notes__)
    assert not server.pids
    server.close()


@pytest.mark.parametrize('number', [
    signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_a_test_process_that_is_ended(
        number: signal.Signals) -> None:
    program = ('from moc_meter.tests.servers.postgresql import PostgreSQL\n'
               'server = PostgreSQL().start()\n'
               'print(server.folder, *server.pids, flush=True)\n'
               'input()\n')
    with subprocess.Popen([sys.executable, '-c', program], cwd=ROOT,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        folder, *pids = process.stdout.readline().split()
        process.send_signal(number)
    base.until(lambda: not alive([int(pid) for pid in pids])
               and not Path(folder).exists(), 60, 'the server to end')


# Databases

@pytest.mark.parametrize('database', DATABASES, indirect=True)
@pytest.mark.parametrize('end', [base.Server.stop, base.Server.kill])
def test_a_database_keeps_its_rows_and_its_port(
        database: PostgreSQL | MariaDB,
        end: Callable[[base.Server], None]) -> None:
    url = database.create_database()
    write(url, 1)
    end(database)
    with pytest.raises(sa.exc.OperationalError):
        numbers(url)
    database.start()
    write(url, 2)
    assert numbers(url) == [1, 2]


@pytest.mark.parametrize('database', DATABASES, indirect=True)
def test_a_database_is_dropped_though_somebody_is_connected(
        database: PostgreSQL | MariaDB) -> None:
    url = database.create_database()
    with sa.create_engine(url, poolclass=sa.NullPool).connect() as conn:
        conn.execute(sa.text('SELECT 1'))
        database.drop_database(url)
        conn.invalidate()
    with pytest.raises(sa.exc.OperationalError):
        answer(url, 'SELECT 1')


def test_databases_of_one_server_do_not_know_each_other(
        postgresql_server: PostgreSQL) -> None:
    one, other = (postgresql_server.create_database() for _ in range(2))
    write(one, 1)
    write(other, 2)
    assert (numbers(one), numbers(other)) == ([1], [2])


def test_a_database_url_is_a_fresh_database(database_url: str) -> None:
    write(database_url, 1)
    assert numbers(database_url) == [1]


def test_postgresql_sorts_and_tells_the_time_unhelpfully(
        postgresql_url: str) -> None:
    assert answer(postgresql_url, "SELECT 'a' < 'B'") is True
    assert answer(postgresql_url, 'SHOW timezone') == 'Asia/Kolkata'


def test_postgresql_sorts_by_code_point_on_request(
        postgresql_server: PostgreSQL) -> None:
    url = postgresql_server.create_database(icu_locale=None)
    assert answer(url, "SELECT 'a' < 'B'") is False


def test_mariadb_encodes_and_tells_the_time_unhelpfully(
        mariadb_url: str) -> None:
    assert answer(mariadb_url, 'SELECT @@character_set_database') == 'latin1'
    assert answer(mariadb_url, 'SELECT @@time_zone') == '+05:30'


# RabbitMQ

@pytest.mark.parametrize('end', [base.Server.stop, base.Server.kill])
def test_a_broker_keeps_confirmed_messages_and_its_port(
        rabbitmq: RabbitMQ, end: Callable[[base.Server], None]) -> None:
    url = rabbitmq.create_vhost()
    vhost = url.rpartition('/')[2]
    publish(url, 'samples')
    end(rabbitmq)
    rabbitmq.start()
    assert rabbitmq.queue_depth(vhost, 'samples') == 1


def test_vhosts_never_run_out(rabbitmq: RabbitMQ) -> None:
    urls = [rabbitmq.create_vhost() for _ in range(41)]
    assert len(set(urls)) == 41
    publish(urls[-1], 'samples')


def test_a_paused_broker_hangs_until_it_is_resumed(
        rabbitmq: RabbitMQ) -> None:
    rabbitmq.pause()
    with pytest.raises((OSError, OperationalError)):
        connect(rabbitmq.url(), patience=0.5)
    rabbitmq.resume()
    publish(rabbitmq.url(), 'samples')
    assert rabbitmq.queue_depth('/', 'samples') == 1


def test_a_paused_broker_can_be_stopped(rabbitmq: RabbitMQ) -> None:
    rabbitmq.pause()
    rabbitmq.stop()
    assert not rabbitmq.pids


def test_an_amqp_url_is_a_fresh_vhost(amqp_url: str) -> None:
    publish(amqp_url, 'samples')


# libvirt

def test_the_disk_traffic_of_a_guest_is_exact(libvirtd: Libvirtd) -> None:
    machine = Guest()
    libvirtd.define_guest(machine)
    libvirtd.start_guest(machine)
    assert first_disk(libvirtd, machine) == {
        'rd.reqs': guest.READ_REQUESTS, 'rd.bytes': guest.READ_BYTES,
        'wr.reqs': guest.WRITE_REQUESTS, 'wr.bytes': guest.WRITE_BYTES}


def test_a_guest_outlives_its_daemon(libvirtd: Libvirtd) -> None:
    machine = Guest()
    libvirtd.define_guest(machine)
    libvirtd.start_guest(machine)
    libvirtd.stop_daemon()
    libvirtd.start_daemon()
    assert libvirtd.virsh('list', '--name').split() == [machine.name]
    assert first_disk(libvirtd, machine)['wr.reqs'] == guest.WRITE_REQUESTS


@pytest.mark.parametrize('end', [base.Server.stop, base.Server.kill])
def test_a_guest_ends_with_its_server_and_stays_defined(
        libvirtd: Libvirtd, end: Callable[[base.Server], None]) -> None:
    machine = Guest()
    libvirtd.define_guest(machine)
    libvirtd.start_guest(machine)
    pids = libvirtd.pids
    end(libvirtd)
    assert not alive(pids)
    libvirtd.start()
    assert not libvirtd.virsh('list', '--name').split()
    assert libvirtd.virsh('list', '--name', '--all').split() == [machine.name]


def test_a_guest_carries_the_metadata_of_nova(
        libvirtd_server: Libvirtd) -> None:
    machine = Guest(name='instance-0000000a')
    libvirtd_server.define_guest(machine)
    found = libvirtd_server.virsh(
        'metadata', machine.name,
        'http://openstack.org/xmlns/libvirt/nova/1.1')
    assert '<name>Zürich – 東京 &lt;1&gt; &amp; "2"</name>' in found
    assert f'<project uuid="{machine.project_id}">Физика</project>' in found
