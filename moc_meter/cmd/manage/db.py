# SPDX-License-Identifier: Apache-2.0
"""moc-meter-manage db …"""

from __future__ import annotations

from oslo_config import cfg

from moc_meter.cmd import build_store
from moc_meter.cmd.manage import arguments
from moc_meter.cmd.manage.arguments import Group
from moc_meter.storage import engine as engines
from moc_meter.storage import generation


def commands(group: Group) -> None:
    group.add_command('upgrade', upgrade,
                      'Bring the schema up to this release.')
    reset_ = group.add_command(
        'reset', reset,
        'Remove all samples, rollups, marks and the quarantine, for ever. '
        'Processes may go on beside it. Interrupted, it is to be run again.')
    arguments.confirmation(reset_)


def upgrade(conf: cfg.ConfigOpts) -> int:
    """Bring the schema up to this release."""
    engine = build_store.engine(conf)
    engines.migrate(engine)
    print('The schema is that of this release.')
    return 0


def reset(conf: cfg.ConfigOpts) -> int:
    """Empty the database."""
    engine = build_store.checked_engine(conf)
    shown = engine.url.render_as_string(hide_password=True)
    arguments.confirmed(conf.command, f'remove everything in {shown} for ever')
    generation.reset(engine)
    print(f'{shown} is empty.')
    return 0
