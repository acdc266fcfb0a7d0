# SPDX-License-Identifier: Apache-2.0
"""What an agent itself takes of a compute node with a thousand guests.

python -m moc_meter.tests.perf.agent_footprint [GUESTS [ROUNDS]]

An installed moc-meter-agent polls guests of libvirt's test driver and sends
their samples to a RabbitMQ of our own. It does so more often than it would at
work: what it uses in idleness is measured first, and what a round costs is
laid on an interval of ten minutes. The driver works inside the agent, so what
libvirtd would do is counted too; of the memory, its part is said. Prints one
JSON object.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from amqp.exceptions import NotFound

from moc_meter.tests.acceptance.installation import Installation
from moc_meter.tests.contract.hypervisors import domain_of, new_guest
from moc_meter.tests.servers.base import until
from moc_meter.tests.servers.rabbitmq import RabbitMQ

#: What an agent does at work, and here; in seconds.
AT_WORK, HERE = 600, 15
IDLE = 10.0
QUEUE = 'moc_meter.samples'


def main(guests: int = 1000, rounds: int = 4) -> None:
    with RabbitMQ() as broker, tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / 'node.xml'
        file.write_text('<node>' + ''.join(
            domain_of(new_guest(name=f'instance-{number:08x}'))
            for number in range(guests)) + '</node>')
        with agent(Path(folder), broker.create_vhost(), file, 86400) as pid:
            time.sleep(IDLE / 2)
            idle = cpu_share(pid, IDLE)
            resident_idle = memory(pid, 'VmRSS')
        url = broker.create_vhost()
        with agent(Path(folder), url, file, HERE) as pid:
            until(lambda: sent(broker, url), 2 * HERE + 30, 'a round')
            wait_for_middle()
            before = sent(broker, url)
            busy = cpu_share(pid, rounds * HERE)
            messages = (sent(broker, url) - before) / rounds
            peak, resident = memory(pid, 'VmHWM'), memory(pid, 'VmRSS')
        driver = drivers_part(file)
    per_round = (busy - idle) * HERE
    print(json.dumps({
        'guests': guests,
        'messages a round': messages,
        'CPU seconds a round': round(per_round, 2),
        'idle, % of a core': round(100 * idle, 3),
        'at 10 minutes, % of a core': round(
            100 * (idle + per_round / AT_WORK), 3),
        'resident, idle, MiB': resident_idle,
        'resident, MiB': resident,
        'resident at most, MiB': peak,
        "of it the test driver's, MiB": driver,
        'CPUs': os.cpu_count()}))


@contextmanager
def agent(folder: Path, url: str, guests: Path,
          interval: int) -> Iterator[int]:
    """The pid of an agent that polls so often."""
    state = Path(tempfile.mkdtemp(dir=folder))
    with Installation(state, {
            'DEFAULT': {'state_dir': state},
            'messaging': {'url': url, 'queue': QUEUE},
            'polling': {'interval': interval,
                        'libvirt_uri': f'test://{guests}'}}) as installed:
        yield installed.start('moc-meter-agent').pid


def sent(broker: RabbitMQ, url: str) -> int:
    """Messages that wait in the queue; 0 while there is none."""
    try:
        return broker.queue_depth(url.rpartition('/')[2], QUEUE)
    except NotFound:
        return 0


def drivers_part(guests: Path) -> float:
    """MiB of the guests in libvirt's driver, which at work has them in its
    own process.
    """
    return float(subprocess.run(
        [sys.executable, '-c', _DRIVER, str(guests)], check=True, text=True,
        capture_output=True).stdout)


_DRIVER = """
import libvirt, sys
def resident():
    with open('/proc/self/status') as file:
        return [int(line.split()[1]) for line in file
                if line.startswith('VmRSS')][0]
before = resident()
connection = libvirt.openReadOnly(f'test://{sys.argv[1]}')
print(round((resident() - before) / 1024, 1))
"""


def wait_for_middle() -> None:
    """Until half-way between two rounds, which begin at whole multiples."""
    time.sleep((1.5 * HERE - time.time() % HERE) % HERE)


def cpu_share(pid: int, seconds: float) -> float:
    """Of one core, over the time; what the process itself uses."""
    before = _cpu(pid)
    time.sleep(seconds)
    return (_cpu(pid) - before) / seconds


def _cpu(pid: int) -> float:
    fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def memory(pid: int, figure: str) -> float:
    """In MiB, of /proc/PID/status."""
    [line] = [line for line in Path(f'/proc/{pid}/status').read_text()
              .splitlines() if line.startswith(figure)]
    return round(int(line.split()[1]) / 1024, 1)


if __name__ == '__main__':
    main(*map(int, sys.argv[1:]))
