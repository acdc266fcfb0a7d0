# SPDX-License-Identifier: Apache-2.0
"""What Alembic runs; the connection is handed to it."""

from __future__ import annotations

from alembic import context

from moc_meter.storage.tables.samples import metadata

context.configure(connection=context.config.attributes['connection'],
                  target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
