# SPDX-License-Identifier: Apache-2.0
"""Options of polling: section [polling]."""

from oslo_config import cfg

SECTION = 'polling'

OPTIONS = [
    cfg.IntOpt(
        'interval', default=600, min=1, max=86400,
        help='Seconds from one reading to the next. Readings are made at '
             'whole multiples of it since 1970.'),
    cfg.StrOpt(
        'hypervisor', default='libvirt',
        help='Hypervisor of this machine, by entry point name in '
             'moc_meter.hypervisor; empty: no instances are polled.'),
    cfg.StrOpt(
        'libvirt_uri', default='qemu:///system',
        help='Connection to libvirt; it is opened read-only.'),
    cfg.ListOpt(
        'compute', default=['cpu', 'cpu.util', 'memory', 'disk',
                            'interface', 'power', 'perf'],
        help='What is read of each instance, by entry point name in '
             'moc_meter.poll.compute.'),
    cfg.ListOpt(
        'hardware', default=['cpu', 'memory', 'disk', 'network'],
        help='What is read of this machine itself, by entry point name in '
             'moc_meter.poll.hardware; empty: nothing.'),
]
