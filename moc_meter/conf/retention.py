# SPDX-License-Identifier: Apache-2.0
"""Options of retention: section [retention]."""

from oslo_config import cfg

SECTION = 'retention'

OPTIONS = [
    cfg.IntOpt(
        'samples', default=0, min=0, max=36500,
        help='Days that raw samples are kept; older ones are dropped by '
             'whole UTC days, for ever. Statistics of whole hours and days '
             'stay; what needs single samples can no longer be answered, and '
             'samples that come later than this go to quarantine. 0 keeps '
             'all.'),
    cfg.IntOpt(
        'events', default=None, sample_default='<as samples>', min=0,
        max=36500,
        help='Days that events are kept, with their traits; older ones are '
             'dropped by whole UTC days, for ever, and those that come later '
             'than this go to quarantine. Not set: as long as samples. 0 '
             'keeps all.'),
    cfg.IntOpt(
        'interval', default=3600, min=60, max=86400,
        help='Seconds from one look for old samples and events to the '
             'next.'),
]
