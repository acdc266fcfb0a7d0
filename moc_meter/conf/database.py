# SPDX-License-Identifier: Apache-2.0
"""Options of the store: section [database]."""

from oslo_config import cfg

SECTION = 'database'

OPTIONS = [
    cfg.StrOpt(
        'url', default=None, secret=True,
        sample_default='postgresql+psycopg://user:password@host/moc_meter',
        help='Where samples are kept: postgresql+psycopg://, '
             'mysql+pymysql:// (also for MariaDB), or sqlite:///FILE for one '
             'process only.'),
    cfg.IntOpt(
        'pool_size', default=5, min=1, max=100,
        help='Connections that this process opens at most.'),
    cfg.IntOpt(
        'statement_timeout', default=60, min=1, max=3600,
        help='Seconds after which the database ends a statement of the API.'),
]
