# SPDX-License-Identifier: Apache-2.0
"""Every metric by which a process reports on itself.

``python -m moc_meter.cmd.metrics`` writes doc/source/metrics.rst.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric; counters begin at 0 with their process."""

    name: str                       # as it is shown; a counter's ends so
    unit: str                       # of its value
    labels: tuple[str, ...] = ()
    sentence: str

    @property
    def kind(self) -> str:
        """As Prometheus has it."""
        return 'counter' if self.name.endswith('_total') else 'gauge'


_PLUGIN = ('plugin',)               # by entry point name
_ROUND = ('kind',)                  # of polling: compute, hardware
_POLLER = ('kind', 'poller')

METRICS = {metric.name: metric for metric in (
    Metric(name='moc_meter_agent_messages_made_total', unit='messages',
           sentence='Messages that are durable in the spool.'),
    Metric(name='moc_meter_agent_messages_sent_total', unit='messages',
           sentence='Messages that the bus has confirmed.'),
    Metric(name='moc_meter_agent_send_failures_total', unit='times',
           sentence='Attempts to send that failed; nothing is lost by one.'),
    Metric(name='moc_meter_agent_spool_messages', unit='messages',
           sentence='Messages that wait in the spool.'),
    Metric(name='moc_meter_agent_spool_bytes', unit='bytes',
           sentence='Bytes of the messages that wait in the spool.'),
    Metric(name='moc_meter_agent_notifications_total', unit='notifications',
           sentence='Notifications that a plugin asked for.'),
    Metric(name='moc_meter_agent_notification_samples_total',
           unit='samples', sentence='Samples made of notifications.'),
    Metric(name='moc_meter_agent_notification_refused_total',
           unit='notifications',
           sentence='Notifications set aside, once for each plugin that '
                    'could not use them; the collector keeps them in '
                    'quarantine.'),
    Metric(name='moc_meter_agent_plugin_faults_total', unit='notifications',
           labels=_PLUGIN,
           sentence='Notifications that a plugin could not use, or at which '
                    'it hung.'),
    Metric(name='moc_meter_agent_plugin_left_out', unit='1 or 0',
           labels=_PLUGIN,
           sentence='1 where a plugin hangs or is too slow, or was so a '
                    'short while ago, and is not asked; it is tried again '
                    'after pauses of a minute to an hour.'),
    Metric(name='moc_meter_agent_polling_samples_total', unit='samples',
           labels=_ROUND, sentence='Samples polled and handed over.'),
    Metric(name='moc_meter_agent_polling_faults_total', unit='faults',
           labels=_ROUND,
           sentence='Faults of rounds: of discovery, of pollers, and figures '
                    'that came too late.'),
    Metric(name='moc_meter_agent_polling_skipped_total', unit='rounds',
           labels=_ROUND,
           sentence='Rounds left out because the one before was not over.'),
    Metric(name='moc_meter_agent_polling_lost_total', unit='samples',
           labels=_ROUND,
           sentence='Samples lost when the agent was stopped while the spool '
                    'was full.'),
    Metric(name='moc_meter_agent_polling_missed_ticks_total', unit='ticks',
           sentence='Ticks that were missed, and are not made up.'),
    Metric(name='moc_meter_agent_poller_faults_total', unit='questions',
           labels=_POLLER,
           sentence='Questions at which a poller failed.'),
    Metric(name='moc_meter_agent_poller_last_success_seconds',
           unit='seconds since 1970, UTC', labels=_POLLER,
           sentence='Tick that a poller answered last; a compute poller is '
                    'asked only where there are instances.'),
    Metric(name='moc_meter_collector_samples_received_total', unit='samples',
           sentence='Samples in messages that could be read.'),
    Metric(name='moc_meter_collector_samples_stored_total', unit='samples',
           sentence='Samples that are new, and committed.'),
    Metric(name='moc_meter_collector_samples_duplicate_total',
           unit='samples',
           sentence='Samples delivered again, that were kept already.'),
    Metric(name='moc_meter_collector_samples_conflict_total', unit='samples',
           sentence='Samples that say something else under a kept identity; '
                    'they are in quarantine.'),
    Metric(name='moc_meter_collector_samples_expired_total', unit='samples',
           sentence='Samples older than what retention has dropped; they are '
                    'in quarantine.'),
    Metric(name='moc_meter_collector_quarantined_total',
           unit='messages and samples',
           sentence='Messages and samples refused and put into quarantine, '
                    'conflicts and expired ones not counted.'),
    Metric(name='moc_meter_collector_held_total', unit='times',
           sentence='Times that the store was waited for.'),
    Metric(name='moc_meter_collector_given_back_total', unit='times',
           sentence='Times that the bus got everything back, to deliver it '
                    'again.'),
)}

_HEAD = """\
Metrics
=======

What agent and collector say about themselves, as Prometheus text on
``http://127.0.0.1:PORT/metrics``. It is off unless ``[agent] metrics_port`` or
``[collector] metrics_port`` is set; the all-in-one reads both. Counters begin
at 0 when the process starts.
"""


def document() -> str:
    """This list as a page of the documentation."""
    return '\n'.join([_HEAD, *map('\n'.join, map(_lines, METRICS.values()))])


def _lines(metric: Metric) -> Iterator[str]:
    labels = f' by {" and ".join(metric.labels)}' if metric.labels else ''
    yield f'``{metric.name}``'
    yield from textwrap.wrap(
        f'{metric.kind}, {metric.unit}{labels}. {metric.sentence}',
        79, initial_indent='   ', subsequent_indent='   ')
    yield ''


if __name__ == '__main__':
    print(document(), end='')
