# SPDX-License-Identifier: Apache-2.0
"""moc-meter-manage db …"""

from __future__ import annotations

from oslo_config import cfg

from moc_meter.cmd import build
from moc_meter.storage import engine as engines


def upgrade(conf: cfg.ConfigOpts) -> int:
    """Bring the schema up to this release; says from where to where."""
    engine = build.engine(conf)
    engines.migrate(engine)
    print('The schema is that of this release.')
    return 0
