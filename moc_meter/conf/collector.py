# SPDX-License-Identifier: Apache-2.0
"""Options of the collector: section [collector]."""

from oslo_config import cfg

SECTION = 'collector'

OPTIONS = [
    cfg.IntOpt(
        'batch_messages', default=30, min=1, max=1000,
        help='Messages, of about 100 samples each, that one transaction '
             'stores at most; twice as many wait in the process at most.'),
    cfg.FloatOpt(
        'batch_seconds', default=0.2, min=0.0, max=60.0,
        help='Longest time in seconds that a message waits for others.'),
    cfg.IntOpt(
        'hold_seconds', default=240, min=0, max=1200,
        help='How long a batch is held while the store is away, before it is '
             'given back to the broker once. Must stay well below the '
             "broker's consumer time-out (30 minutes unless it says "
             'otherwise).'),
    cfg.ListOpt(
        'dispatchers', default=['storage'],
        help='Where samples go, by entry point name in '
             'moc_meter.dispatcher. Each one gets every batch.'),
    cfg.PortOpt(
        'metrics_port', default=None, min=1,
        help='Port of 127.0.0.1 on which this process says what it has done '
             'so far, as Prometheus text. Not set: it does not.'),
]
