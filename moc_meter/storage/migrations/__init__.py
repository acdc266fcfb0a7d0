# SPDX-License-Identifier: Apache-2.0
"""The history of the schema; what runs it is in storage/engine.py."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic.config import Config


def config(conn: sa.Connection | None = None) -> Config:
    """Alembic's configuration, without a file of its own.

    conn: an open transaction, which the caller commits.
    """
    made = Config()
    made.set_main_option('script_location',
                         str(Path(__file__).parent).replace('%', '%%'))
    made.set_main_option('path_separator', 'os')
    made.attributes['connection'] = conn
    return made
