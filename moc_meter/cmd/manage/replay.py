# SPDX-License-Identifier: Apache-2.0
"""moc-meter-manage notification replay: captured notifications, once more.

Samples are made as an agent makes them, and what became of them is asked of
the API: neither collector nor store is called from here.
"""

from __future__ import annotations

import argparse
import importlib.resources
import itertools
import json
import operator
import sys
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from oslo_config import cfg

from moc_meter import errors, signing
from moc_meter.agent.notification import message
from moc_meter.cmd import build, build_agent
from moc_meter.cmd.manage import files, output, rest
from moc_meter.messaging.base import Sender
from moc_meter.model import metadata, quantity
from moc_meter.model.pause import pauses
from moc_meter.model.sample import Refused, Sample
from moc_meter.progress import Progress
from moc_meter.publisher import messages

_BATCH = 100
#: The store is asked for all that it has between the first and the last
#: instant of a batch, for so many times as many; where it has more, for less.
_MORE = 10
#: What the report counts. Refused is what cannot go where the rest goes;
#: missing what was not in the store in time.
_COUNTED = ('messages', 'samples', 'stored', 'duplicate', 'quarantined',
            'refused', 'missing')
_AMISS = ('quarantined', 'refused', 'missing')


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--example', action='store_true',
        help='the packaged life of an instance: create, resize, delete')
    parser.add_argument(
        '--url', default='http://127.0.0.1:8777',
        help='where the API listens, or the all-in-one (default: '
             '%(default)s)')
    parser.add_argument(
        '--wait', type=int, default=60, metavar='SECONDS',
        help='how long to wait, over the bus, for the next sample to be in '
             'the store (default: %(default)s)')


class Way(Protocol):
    """How samples get to the store; counts what it answers."""

    counts: Counter[str]

    def send(self, samples: Sequence[Sample], refused: Sequence[Refused]
             ) -> None:
        """One batch, in order."""

    def settle(self) -> None:
        """Wait until it is known what became of all."""


def replay(conf: cfg.ConfigOpts) -> int:
    """One JSON object at the end; status 1 where a sample is not stored."""
    asked = conf.command
    if not asked.files and not asked.example:
        raise errors.InvalidConfiguration(
            'name files of notifications, or --example')
    host = build_agent.plugin_host(conf)
    way: Way = (
        OverBus(build.bus(conf).sender(), build.signer(conf), asked.url,
                asked.wait) if conf.messaging.url else ByIngest(asked.url))
    samples: list[Sample] = []
    refused: list[Refused] = []
    meters: set[str] = set()
    with Progress(files.size(asked.files)) as progress:
        for place, content in _documents(asked):
            progress.advance(len(content))
            way.counts['messages'] += 1
            try:
                flat = message.flat(content)
            except errors.InvalidMessage as fault:
                way.counts['refused'] += 1
                print(f'refused: {place}: {fault}', file=sys.stderr)
                continue
            outcome = host.take(conf.sample_source, flat)
            samples += outcome.samples
            refused += outcome.refused
            meters.update(sample.meter for sample in outcome.samples)
            if len(samples) + len(refused) >= _BATCH:
                way.send(samples, refused)
                samples, refused = [], []
        way.send(samples, refused)
    way.settle()
    print(output.line({**{name: way.counts[name] for name in _COUNTED},
                       'meters': dict(_totals(asked.url, meters))}))
    return 1 if any(way.counts[name] for name in _AMISS) else 0


def _documents(asked: argparse.Namespace) -> Iterator[tuple[str, bytes]]:
    if asked.example:
        packaged = importlib.resources.files('moc_meter.agent.notification')
        for line in (packaged / 'examples' / 'instance-life.jsonl'
                     ).read_bytes().splitlines():
            yield 'example', line
    yield from files.documents(asked.files)


def _totals(url: str, meters: set[str]) -> Iterator[tuple[str, object]]:
    """What the store says of each meter now, by unit."""
    for meter in sorted(meters):
        rows = rest.ask(url, f'/v2/meters/{_quoted(meter)}/statistics')
        yield meter, [{name: row[name] for name in ('unit', 'count', 'sum')}
                      for row in rows or ()]


class ByIngest:
    """To the all-in-one, which stores before it answers."""

    def __init__(self, url: str) -> None:
        self.counts: Counter[str] = Counter()
        self._url = url

    def send(self, samples: Sequence[Sample], refused: Sequence[Refused]
             ) -> None:
        self.counts['samples'] += len(samples)
        self.counts['refused'] += len(refused)
        for one in refused:
            print(f'refused: {one.reason}', file=sys.stderr)
        for start in range(0, len(samples), _BATCH):
            for answer in rest.ask(self._url, '/v2/ingest', json.dumps(
                    [_said(one) for one in samples[start:start + _BATCH]])):
                self._count(answer)

    def settle(self) -> None:
        """All is known when it is sent."""

    def _count(self, answer: dict[str, Any]) -> None:
        status = answer['status']
        if status in ('stored', 'duplicate', 'refused'):
            self.counts[status] += 1
        else:
            self.counts['quarantined'] += 1
        if status == 'refused':
            print(f'refused: {answer["reason"]}', file=sys.stderr)


class OverBus:
    """Over our own bus; the API says what is in the store."""

    def __init__(self, sender: Sender, signer: signing.Signer | None,
                 url: str, wait: int) -> None:
        """wait: seconds without a new sample after which it is given up."""
        self.counts: Counter[str] = Counter()
        self._sender = sender
        self._signer = signer
        self._url = url
        self._wait = wait
        self._sent: set[str] = set()
        self._pending: list[Sample] = []

    def send(self, samples: Sequence[Sample], refused: Sequence[Refused]
             ) -> None:
        """Raises BusUnavailable; what was sent may be sent again."""
        self.counts['samples'] += len(samples)
        self.counts['quarantined'] += len(refused)
        self._look(samples)
        for content in messages.encoded(samples, refused, self._signer):
            self._sender.send(content)

    def settle(self) -> None:
        deadline = time.monotonic() + self._wait
        with Progress(len(self._pending)) as progress:
            for pause in pauses(longest=5.0):
                stored = self._stored(self._pending)
                left = [sample for sample in self._pending
                        if sample.message_id not in stored]
                arrived = len(self._pending) - len(left)
                self.counts['stored'] += arrived
                progress.advance(arrived)
                self._pending = left
                if arrived:
                    deadline = time.monotonic() + self._wait
                if not left or time.monotonic() + pause > deadline:
                    break
                time.sleep(pause)
        self.counts['missing'] += len(self._pending)
        for sample in self._pending:
            print('not in the store yet, or in quarantine: '
                  f'message_id={sample.message_id} meter={sample.meter} '
                  f'resource_id={sample.resource_id}', file=sys.stderr)
        self._sender.close()

    def _look(self, samples: Sequence[Sample]) -> None:
        """Which are there before they are sent."""
        # Reversed: of several with one id the store keeps the first.
        fresh = {sample.message_id: sample for sample in reversed(samples)
                 if sample.message_id not in self._sent}
        self.counts['duplicate'] += len(samples) - len(fresh)
        self._sent.update(fresh)
        stored = self._stored(fresh.values())
        for message_id, sample in fresh.items():
            found = stored.get(message_id)
            if found is None:
                self._pending.append(sample)
            elif (found['volume'] == float(sample.volume) and found['metadata']
                    == metadata.flattened(sample.metadata)):
                self.counts['duplicate'] += 1
            else:   # what is kept under this identity says something else
                self.counts['quarantined'] += 1

    def _stored(self, samples: Iterable[Sample]) -> dict[str, dict[str, Any]]:
        """What the store has of these, by message id."""
        ordered = iter(sorted(samples, key=operator.attrgetter('timestamp')))
        found: dict[str, dict[str, Any]] = {}
        while batch := list(itertools.islice(ordered, _BATCH)):
            found |= self._among(batch)
        return found

    def _among(self, samples: Sequence[Sample]) -> dict[str, dict[str, Any]]:
        """The same; samples: in the order of their instants, a few."""
        limit = len(samples) * _MORE
        rules = [('timestamp', 'ge', samples[0].timestamp.isoformat()),
                 ('timestamp', 'le', samples[-1].timestamp.isoformat())]
        if len(samples) == 1:
            rules.append(('message_id', 'eq', samples[0].message_id))
        rows = rest.ask(self._url, '/v2/samples?' + urllib.parse.urlencode([
            *((f'q.{name}', part) for rule in rules for name, part in zip(
                ('field', 'op', 'value'), rule, strict=True)),
            ('limit', limit)]))
        if len(rows) == limit and len(samples) > 1:
            half = len(samples) // 2
            return self._among(samples[:half]) | self._among(samples[half:])
        sources = {sample.message_id: sample.source for sample in samples}
        return {row['id']: row for row in rows
                if sources.get(row['id']) == row['source']}


def _quoted(part: str) -> str:
    return urllib.parse.quote(part, safe='')


def _said(sample: Sample) -> dict[str, object]:
    return {'message_id': sample.message_id, 'source': sample.source,
            'counter_name': sample.meter, 'counter_type': sample.kind.value,
            'counter_unit': sample.unit,
            'counter_volume': quantity.text(sample.volume),
            'resource_id': sample.resource_id,
            'project_id': sample.project_id, 'user_id': sample.user_id,
            'timestamp': sample.timestamp.isoformat(),
            'resource_metadata': sample.metadata}
