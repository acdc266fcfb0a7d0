# SPDX-License-Identifier: Apache-2.0
"""Options of the API: section [api]."""

from oslo_config import cfg

SECTION = 'api'

OPTIONS = [
    cfg.HostAddressOpt(
        'host', default='127.0.0.1',
        help='Address to listen on. Callers are not authenticated, so '
             'anything but loopback is refused unless '
             'insecure_listen_anywhere is set.'),
    cfg.PortOpt('port', default=8777, min=0,
                help='Port to listen on; 0 takes a free one.'),
    cfg.BoolOpt(
        'insecure_listen_anywhere', default=False,
        help='Serve callers without authentication on an address that other '
             'machines can reach. Whoever reaches it reads and writes '
             'everything.'),
    cfg.IntOpt(
        'threads', default=4, min=1, max=64,
        help='Requests that are answered at once.'),
    cfg.IntOpt(
        'default_api_return_limit', default=100, min=1,
        help='Items of a list where the caller names no limit.'),
    cfg.ListOpt(
        'groupby_metadata_keys', default=['instance_type'],
        help='Metadata that statistics may be grouped by.'),
    cfg.IntOpt(
        'max_body_mib', default=16, min=1, max=1024,
        help='Size in MiB of the largest request that is read.'),
]
