# SPDX-License-Identifier: Apache-2.0
"""What the installed API says of a world that is in a database."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from moc_meter.tests.acceptance.system import Process, configured
from moc_meter.truth import asking, check, summary
from moc_meter.truth.report import Report
from moc_meter.truth.world import World

#: By chance, but the same each time; statistics half of them.
QUESTIONS = 40


def asked(engine: sa.Engine, bus: str, world: World, folder: Path
          ) -> Report:
    """Of a store that holds all of the world."""
    about = summary.summary(world.samples(), source=world.source,
                            zone=world.zone, seed=world.seed)
    script = 'moc-meter-api'
    file = configured(folder, script, {
        'database.url': engine.url.render_as_string(hide_password=False),
        'messaging.url': bus, 'api.port': 0})
    with Process(script, '--config-file', file, folder=folder) as api:
        return check.check(api.url, world, only=[
            question.url() for question in asking.random_questions(
                about, world.seed, QUESTIONS)])
