# SPDX-License-Identifier: Apache-2.0
"""A process's report on itself: what its rooms count, for Prometheus.

The rooms count; what they have counted is read when somebody asks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import prometheus_client
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
)

from moc_meter import errors
from moc_meter.cmd.metrics import METRICS

if TYPE_CHECKING:
    # A process loads the rooms that it has, not those that others report of.
    from moc_meter.agent.notification.host import PluginHost
    from moc_meter.agent.polling.service import PollingService
    from moc_meter.collector.service import Collector
    from moc_meter.publisher.bus import BusPublisher

_HOST = '127.0.0.1'
_AGENT, _COLLECTOR = 'moc_meter_agent_', 'moc_meter_collector_'
_FAMILIES = {'counter': CounterMetricFamily, 'gauge': GaugeMetricFamily}

#: A metric's name, the values of its labels, its value.
Figure = tuple[str, tuple[str, ...], float]
Read = Callable[[], Iterable[Figure]]


class Report:
    """Answers a scrape with what is counted at that moment."""

    def __init__(self, port: int | None) -> None:
        """port: of this machine, for itself; None is no report at all.

        Listens from the moment that it is made. Raises InvalidConfiguration
        where the port is taken.
        """
        self._read: list[Read] = []
        self._server: Any = None
        if port is None:
            return
        registry = prometheus_client.CollectorRegistry()
        registry.register(self)
        try:
            self._server, self._thread = prometheus_client.start_http_server(
                port, _HOST, registry)
        except OSError as fault:
            raise errors.InvalidConfiguration(
                'metrics_port cannot be listened on; is another process '
                'using it?', host=_HOST, port=port,
                reason=fault.strerror) from fault

    def add(self, read: Read) -> None:
        """Report what this reads, too."""
        self._read.append(read)

    def services(self) -> dict[str, Callable[[threading.Event], None]]:
        """What the process runs for it; nothing where there is no port."""
        return {} if self._server is None else {'metrics': self._serve}

    def collect(self) -> Iterator[Metric]:
        """The families of a scrape; prometheus_client asks."""
        found: dict[str, Any] = {}
        for name, labels, value in (figure for read in list(self._read)
                                    for figure in read()):
            if name not in found:
                metric = METRICS[name]
                found[name] = _FAMILIES[metric.kind](
                    name, metric.sentence, labels=metric.labels)
            found[name].add_metric(labels, value)
        yield from found.values()

    def _serve(self, stop: threading.Event) -> None:
        stop.wait()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def sending(publisher: BusPublisher) -> Read:
    """What the publisher of an agent counts."""
    def read() -> Iterator[Figure]:
        counts = publisher.counts
        messages, size = publisher.waiting
        for name, value in (
                ('messages_made_total', counts.made),
                ('messages_sent_total', counts.sent),
                ('send_failures_total', counts.failed),
                ('spool_messages', messages), ('spool_bytes', size)):
            yield _AGENT + name, (), value

    return read


def hearing(host: PluginHost) -> Read:
    """What the host of the notification plugins counts."""
    def read() -> Iterator[Figure]:
        counts, left_out = dict(host.counts), host.left_out
        for name, key in (('notifications_total', 'notifications'),
                          ('notification_samples_total', 'samples'),
                          ('notification_refused_total', 'refused')):
            yield _AGENT + name, (), counts.get(key, 0)
        for plugin in host.names:
            yield (f'{_AGENT}plugin_faults_total', (plugin,),
                   counts.get(f'fault {plugin}', 0))
            yield (f'{_AGENT}plugin_left_out', (plugin,),
                   plugin in left_out)

    return read


def polling(service: PollingService,
            pollers: Mapping[str, Collection[str]]) -> Read:
    """What polling counts; names of pollers by kind."""
    def read() -> Iterator[Figure]:
        yield f'{_AGENT}polling_missed_ticks_total', (), service.missed
        for kind, rounds in service.rounds.items():
            counts = dict(rounds.counted)
            for key in ('samples', 'faults', 'skipped', 'lost'):
                yield (f'{_AGENT}polling_{key}_total', (kind,),
                       counts.get(key, 0))
            for name in pollers[kind]:
                yield (f'{_AGENT}poller_faults_total', (kind, name),
                       rounds.faults[name])
                if answered := rounds.last_success.get(name):
                    yield (f'{_AGENT}poller_last_success_seconds',
                           (kind, name), answered.timestamp())

    return read


def collecting(collector: Collector) -> Read:
    """What the collector counts."""
    def read() -> Iterator[Figure]:
        counts = collector.counts
        for name, value in (
                ('samples_received_total', counts.received),
                ('samples_stored_total', counts.stored),
                ('samples_duplicate_total', counts.duplicates),
                ('samples_conflict_total', counts.conflicts),
                ('samples_expired_total', counts.expired),
                ('quarantined_total', counts.refused),
                ('held_total', counts.held),
                ('given_back_total', counts.given_back)):
            yield _COLLECTOR + name, (), value

    return read
