# SPDX-License-Identifier: Apache-2.0
"""T13: what metering takes of a node with everything on it.

On the node are RabbitMQ, PostgreSQL, a collector, the jobs and the API; 100
agents poll 10,000 resources of ten meters each every ten minutes, which is
100,000 samples a round. A round is sent at once, as fast as it is taken, and
the CPU seconds that all processes need for it are counted (/proc, children
that ended meanwhile included); what they use in idleness is measured before,
over so many seconds. A round's seconds by 600, and idleness, are the share.
Memory is each page once (Pss), when the rounds are over.

Agents are on nodes of their own. One is measured there, with a hundredth of
the resources: guests of libvirt's test driver, which works inside the agent
and is counted with it.
"""

from __future__ import annotations

import contextlib
import datetime
import itertools
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

from moc_meter.messaging import codec
from moc_meter.model.sample import MeterKind, Sample, derived_id
from moc_meter.tests.acceptance.installation import Installation, Options
from moc_meter.tests.contract.hypervisors import domain_of, new_guest
from moc_meter.tests.perf import agent_footprint, cloud
from moc_meter.tests.perf.frame import (
    Bound,
    Figure,
    Setting,
    Target,
    say,
)
from moc_meter.tests.perf.pipeline import Keys, Queue, Workers, servers
from moc_meter.tests.servers.base import Server, until
from moc_meter.tests.servers.rabbitmq import RabbitMQ

_AGENTS, _RESOURCES, _INTERVAL = 100, 10_000, 600
_METERS = ('cpu', 'memory.usage', 'memory.resident', 'power.state',
           'disk.device.read.bytes', 'disk.device.write.bytes',
           'disk.device.read.requests', 'disk.device.write.requests',
           'network.incoming.bytes', 'network.outgoing.bytes')
_MESSAGE = 100
#: Seconds of idleness that are measured.
_IDLE = 20.0
_BEGIN = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)


def _round(number: int) -> Iterator[Sample]:
    """What all the agents say at a tick, one after the other."""
    tick = _BEGIN + number * datetime.timedelta(seconds=_INTERVAL)
    for resource, meter in itertools.product(range(_RESOURCES), _METERS):
        name = f'instance-{resource:08x}'
        yield Sample(
            source='region-1', timestamp=tick, meter=meter,
            message_id=derived_id(str(number), meter, name),
            kind=MeterKind.GAUGE, unit='unit', resource_id=name,
            volume=Decimal(7919 * resource % 100_003 + number),
            project_id=f'project-{resource % 200}',
            user_id=f'user-{resource % 400}',
            metadata={'display_name': f'vm {resource}', 'state': 'active',
                      'host': f'node-{resource * _AGENTS // _RESOURCES}',
                      'flavor': {'name': 'm1.small', 'vcpus': 2,
                                 'ram': 4096, 'disk': 20}})


class _Node:
    """Everything of it, and what it takes."""

    def __init__(self, stack: contextlib.ExitStack, keys: Keys, folder: Path,
                 services: Sequence[Server], *, bus: str,
                 database: str) -> None:
        self._keys = keys
        self._queue = stack.enter_context(contextlib.closing(Queue(bus)))
        self._workers = Workers(folder / 'collector', keys, iter(()), bus=bus,
                                database=database, workers=1)
        stack.callback(self._workers.close)
        options: Options = {
            'database': {'url': database}, 'messaging': {'url': bus},
            'api': {'port': 0}}
        rest = [stack.enter_context(Installation(_made(folder / name),
                                                 options)).start(name)
                for name in ('moc-meter-jobs', 'moc-meter-api')]
        self._pids = [
            *self._workers.pids(), *(process.pid for process in rest),
            *itertools.chain.from_iterable(
                one.main_pids for one in services)]

    def take(self, number: int) -> float:
        """CPU seconds of a round."""
        messages = [codec.encode(batch, signer=self._keys.signer) for batch
                    in cloud.batches(_round(number), _MESSAGE)]
        before = self.cpu()
        self._workers.expect(_RESOURCES * len(_METERS))
        self._queue.fill(messages)
        self._workers.wait()
        return self.cpu() - before

    def cpu(self) -> float:
        """CPU seconds so far."""
        ticks = 0
        for pid in _tree(self._pids):
            fields = Path(f'/proc/{pid}/stat').read_text().rpartition(
                ')')[2].split()
            ticks += sum(map(int, fields[11:15]))
        return ticks / os.sysconf('SC_CLK_TCK')

    def memory(self) -> int:
        """Bytes."""
        return 1024 * sum(
            int(line.split()[1]) for pid in _tree(self._pids)
            for line in Path(f'/proc/{pid}/smaps_rollup').read_text(
                ).splitlines() if line.startswith('Pss:'))


def _tree(roots: Sequence[int]) -> list[int]:
    """Processes and all that came of them."""
    parents: dict[int, list[int]] = {}
    for stat in Path('/proc').glob('[0-9]*/stat'):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            parent = int(stat.read_text().rpartition(')')[2].split()[1])
            parents.setdefault(parent, []).append(int(stat.parent.name))
    found = [*roots]
    for pid in found:
        found += parents.get(pid, [])
    return found


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _node() -> Iterator[Figure]:
    with servers() as (database, broker, folder), \
            contextlib.ExitStack() as stack:
        node = _Node(stack, Keys(folder), folder, (database, broker),
                     bus=broker.create_vhost(),
                     database=database.create_database())
        say('a first round, of new series')
        node.take(0)
        time.sleep(_IDLE / 4)
        before = node.cpu()
        time.sleep(_IDLE)
        idle = (node.cpu() - before) / _IDLE
        say('two rounds')
        rounds = [node.take(number) for number in (1, 2)]
        yield Figure(name='a round', unit='CPU s', values=rounds)
        yield Figure(name='idleness', unit='CPU s a second', values=[idle])
        yield _cores('node, CPU', [idle + one / _INTERVAL for one in rounds])
        yield _gigabytes('node, memory', node.memory())


def _agent() -> Iterator[Figure]:
    """As agent_footprint does, with a hundredth of the resources."""
    here = agent_footprint.HERE
    with RabbitMQ() as broker, tempfile.TemporaryDirectory() as name:
        folder, url = Path(name), broker.create_vhost()
        file = folder / 'node.xml'
        file.write_text('<node>' + ''.join(
            domain_of(new_guest(name=f'instance-{number:08x}'))
            for number in range(_RESOURCES // _AGENTS)) + '</node>')
        say('an agent')
        with agent_footprint.agent(folder, url, file, here) as pid:
            until(lambda: agent_footprint.sent(broker, url), 2 * here + 30,
                  'a round')
            agent_footprint.wait_for_middle()
            # So long there is nothing to do.
            idle = agent_footprint.cpu_share(pid, here / 3)
            agent_footprint.wait_for_middle()
            busy = agent_footprint.cpu_share(pid, 2 * here) - idle
            resident = agent_footprint.memory(pid, 'VmRSS') * 2 ** 20
    yield _cores('agent, CPU', [idle + busy * here / _INTERVAL])
    yield _gigabytes('agent, memory', resident)


def _cores(name: str, seconds: Sequence[float]) -> Figure:
    """Of all cores; of CPU seconds a second."""
    return Figure(name=name, unit='%', values=[
        100 * one / (os.cpu_count() or 1) for one in seconds])


def _gigabytes(name: str, size: float) -> Figure:
    memory = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')
    return Figure(name=name, unit='%', values=[100 * size / memory])


def _figures(_: Setting) -> list[Figure]:
    return [*_node(), *_agent()]


T13 = Target(
    name='T13', figures=_figures,
    title='share of a machine that metering takes: 100 agents, 10,000 '
          'resources of ten meters, every ten minutes',
    bounds=[Bound(of=f'{who}, {what}', most=5)
            for who in ('node', 'agent') for what in ('CPU', 'memory')])
