# SPDX-License-Identifier: Apache-2.0
"""Options of the agent: section [agent]."""

from oslo_config import cfg

SECTION = 'agent'

OPTIONS = [
    cfg.StrOpt(
        'host', default=None, sample_default='<the name of this machine>',
        help='Name of this machine in the ids of its own resources.'),
    cfg.StrOpt(
        'publisher', default='bus', choices=[
            ('bus', 'a spool on disk, and from there to [messaging] url'),
            ('file', 'a file, to be carried by hand')],
        help='Where samples go.'),
    cfg.StrOpt(
        'spool', default=None, sample_default='<state_dir>/spool.sqlite',
        help='File in which samples wait until the bus has confirmed them. '
             'One agent only may use it.'),
    cfg.IntOpt(
        'spool_max_mib', default=1024, min=64,
        help='Size in MiB of what may wait in the spool. A full spool takes '
             'no more: polling pauses and notifications stay on their bus '
             'until there is room.'),
    cfg.StrOpt(
        'file', default=None, sample_default='<state_dir>/samples.jsonl',
        help='File of the publisher "file".'),
    cfg.PortOpt(
        'metrics_port', default=None, min=1,
        help='Port of 127.0.0.1 on which this process says what it has done '
             'so far, as Prometheus text. Not set: it does not.'),
]
