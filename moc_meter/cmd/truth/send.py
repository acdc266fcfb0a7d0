# SPDX-License-Identifier: Apache-2.0
"""moc-meter truth send: the world to a service, in one of three ways."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from moc_meter import errors
from moc_meter.cmd.truth import worlds
from moc_meter.progress import Progress
from moc_meter.truth import delivery
from moc_meter.truth.world import World

TITLE = 'send the world to a service'
ABOUT = ('Send the world to a service: as samples to its API or to its bus, '
         'or as the notifications of its cloud. It may be interrupted and '
         'sent again: ids are a function of the seed, so nothing is doubled.')
EPILOG = ('example:\n'
          '  moc-meter truth send --seed 7 --api http://127.0.0.1:8777\n\n'
          'Exit status: 0: everything went; 1: the service did not take '
          'some of it; 2: refused, with the reason on stderr.')
_BATCH = 500
_WAIT, _QUEUE, _TOPIC = 60.0, 'moc_meter.samples', 'notifications'
#: The options that only some ways have.
_ONLY = {'order': ('api', 'bus'), 'wait': ('api',), 'queue': ('bus',),
         'signing_key': ('bus',), 'ca_file': ('bus',),
         'topic': ('notifications',)}


class Way(Protocol):
    """How things get there."""

    counts: Counter[str]

    @property
    def complete(self) -> bool:
        """Whether everything that was sent has been taken."""

    def send(self, things: Sequence[Any]) -> None:
        """A batch, in order."""

    def close(self) -> None:
        """Let go of the connection."""


def arguments(parser: argparse.ArgumentParser) -> None:
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument('--api', metavar='URL',
                       help='samples to POST URL/v2/ingest; the variables '
                            'OS_* say who sends them, where it is asked')
    where.add_argument('--bus', metavar='URL',
                       help="samples to the collectors' RabbitMQ: [messaging] "
                            'url of their file')
    where.add_argument('--notifications', metavar='URL',
                       help="notifications to the cloud's RabbitMQ: "
                            "[notification] url of an agent's file")
    parser.add_argument('--order', choices=('time', *delivery.ORDERS),
                        help='of the samples: time: each once, in order of '
                             'time; arrival: some late, some twice; shuffled: '
                             'so, and in any order (default: time)')
    parser.add_argument('--rate', type=_rate, metavar='N',
                        help='so many a second at most')
    parser.add_argument('--wait', type=float, metavar='SECONDS',
                        help='with --api: give up where there is no answer '
                             f'for so long (default: {_WAIT:g})')
    parser.add_argument('--queue', metavar='NAME',
                        help='with --bus: [messaging] queue (default: '
                             f'{_QUEUE})')
    parser.add_argument('--signing-key', metavar='FILE',
                        help='with --bus: the key that signs, as [messaging] '
                             'signing_key of an agent')
    parser.add_argument('--ca-file', metavar='FILE',
                        help='with --bus: the certificates that an amqps:// '
                             'URL trusts')
    parser.add_argument('--topic', action='append', metavar='NAME',
                        help='with --notifications: to this topic; may be '
                             f'said again (default: {_TOPIC})')
    parser.add_argument('--json', action='store_true',
                        help='the summary as one JSON object')


def run(asked: argparse.Namespace) -> int:
    _fit(asked)
    world = worlds.world(asked)
    things = (world.notifications() if asked.notifications is not None
              else _samples(world, asked))
    begun = time.monotonic()
    with contextlib.closing(_way(asked)) as way:
        sent = deliver(things, way, asked.rate)
    _report({'sent': sent, **way.counts,
             'seconds': round(time.monotonic() - begun, 3)}, asked.json)
    return 0 if way.complete else 1


def _fit(asked: argparse.Namespace) -> None:
    """Raises InvalidConfiguration where an option is of another way."""
    for name, ways in _ONLY.items():
        value = getattr(asked, name)
        if value is not None and not any(getattr(asked, way) is not None
                                         for way in ways):
            raise errors.InvalidConfiguration(
                'the option belongs to another way of sending; leave it '
                f'out, or send with {" or ".join(f"--{way}" for way in ways)}',
                option='--' + name.replace('_', '-'), value=value)


def deliver(things: Iterable[Any], way: Way, rate: float | None = None
            ) -> int:
    """Everything, in batches, at a rate; how many there were."""
    # Of a tenth of a second, so that they come evenly.
    size = _BATCH if rate is None else max(1, min(_BATCH, int(rate / 10)))
    begun, sent = time.monotonic(), 0
    with Progress(None) as progress:
        for batch in batches(things, size):
            if rate is not None:
                due = begun + sent / rate
                time.sleep(max(0.0, due - time.monotonic()))
            way.send(batch)
            sent += len(batch)
            progress.advance(len(batch))
    return sent


def batches(things: Iterable[Any], size: int) -> Iterator[list[Any]]:
    rest = iter(things)
    while batch := list(itertools.islice(rest, size)):
        yield batch


def _samples(world: World, asked: argparse.Namespace) -> Iterable[Any]:
    return (world.delivered(asked.order)
            if asked.order in delivery.ORDERS else world.samples())


def _way(asked: argparse.Namespace) -> Way:
    """The libraries of a way are imported only where it is gone."""
    if asked.api is not None:
        from moc_meter.cmd.truth.over_api import OverApi
        return OverApi(asked.api, _WAIT if asked.wait is None
                       else asked.wait)
    if asked.bus is not None:
        from moc_meter.cmd.truth import over_bus
        return over_bus.connect(asked.bus, asked.queue or _QUEUE,
                                asked.signing_key, asked.ca_file)
    from moc_meter.cmd.truth.over_cloud import OverCloud
    return OverCloud(asked.notifications, asked.topic or [_TOPIC])


def _report(figures: dict[str, Any], as_json: bool) -> None:
    print(json.dumps(figures) if as_json else
          ', '.join(f'{name} {value:,}' for name, value in figures.items()))


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate < float('inf'):
        raise argparse.ArgumentTypeError(
            f'a number above 0 is expected, not {text!r}')
    return rate
