# SPDX-License-Identifier: Apache-2.0
"""Options of the jobs: section [jobs]."""

from oslo_config import cfg

SECTION = 'jobs'

OPTIONS = [
    cfg.IntOpt(
        'partitions_ahead', default=7, min=1, max=366,
        help='Days for which partitions of samples are made in advance.'),
    cfg.IntOpt(
        'partitions_interval', default=3600, min=60, max=86400,
        help='Seconds from one look at the partitions to the next.'),
]
