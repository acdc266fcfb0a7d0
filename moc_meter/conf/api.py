# SPDX-License-Identifier: Apache-2.0
"""Options of the API: section [api]."""

from oslo_config import cfg

SECTION = 'api'

OPTIONS = [
    cfg.HostAddressOpt(
        'host', default='127.0.0.1',
        help='Address to listen on. Where callers are not authenticated, '
             'anything but loopback is refused unless '
             'insecure_listen_anywhere is set.'),
    cfg.PortOpt('port', default=8777, min=0,
                help='Port to listen on; 0 takes a free one.'),
    cfg.StrOpt(
        'auth_strategy', default='noauth', choices=[
            ('noauth', 'callers are believed what they say of themselves'),
            ('basic', 'names and passwords of users_file'),
            ('keystone', 'tokens; see [keystone_authtoken]')],
        help='How callers are told apart.'),
    cfg.StrOpt(
        'users_file', default=None, sample_default='/etc/moc_meter/users',
        help='Who may come in where auth_strategy is basic: lines of '
             'NAME:BCRYPT:PROJECT:ROLE,ROLE. The first two are what '
             '"htpasswd -nB NAME" prints; the project may be empty. Read '
             'when the process starts.'),
    cfg.BoolOpt(
        'insecure_listen_anywhere', default=False,
        help='Serve callers without authentication on an address that other '
             'machines can reach. Whoever reaches it reads and writes '
             'everything.'),
    cfg.IntOpt(
        'threads', default=4, min=1, max=64,
        help='Requests that are answered at once.'),
    cfg.FloatOpt(
        'patience', default=10.0, min=0.1, max=3600,
        help='Seconds that a request may wait for its turn; one that waited '
             'longer is answered by 503 and Retry-After, since whoever asked '
             'has mostly given up by then. Counted from when this process '
             'had the request whole, or, with behind_proxy, from the '
             'X-Request-Start of the proxy.'),
    cfg.IntOpt(
        'default_api_return_limit', default=100, min=1,
        help='Items of a list where the caller names no limit.'),
    cfg.ListOpt(
        'groupby_metadata_keys', default=['instance_type'],
        help='Metadata that statistics may be grouped by.'),
    cfg.IntOpt(
        'max_body_mib', default=16, min=1, max=1024,
        help='Size in MiB of the largest request that is read.'),
    cfg.BoolOpt(
        'behind_proxy', default=False,
        help='Believe X-Forwarded-* and Forwarded, which say where a request '
             'came in, for the links in answers. Only for an API that nobody '
             'reaches but through a proxy that sets them.'),
    cfg.StrOpt(
        'path_prefix', default='', regex=r'(/[^/?#]+)*',
        help='What stands before /v2 in the paths of requests to this '
             'process, such as /metering.'),
    cfg.ListOpt(
        'allowed_origins', default=[],
        help='Origins of web pages that may ask from a browser (CORS), such '
             'as https://dashboard.example.org.'),
]
