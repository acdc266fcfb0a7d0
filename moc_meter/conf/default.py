# SPDX-License-Identifier: Apache-2.0
"""Options of every process: section [DEFAULT]."""

from oslo_config import cfg

SECTION = 'DEFAULT'

OPTIONS = [
    cfg.StrOpt(
        'sample_source', default='openstack', regex='.',
        help='Name of this deployment: the source of the samples of its '
             'agents, and the end of the source of samples that are posted. '
             'Resource ids are unique within a source; renaming it begins '
             'the series of every resource anew.'),
    cfg.StrOpt(
        'state_dir', default='/var/lib/moc_meter',
        help='Folder for what a process must keep over a restart, such as '
             'the spool of an agent. Must survive a reboot.'),
]
