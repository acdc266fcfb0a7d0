# SPDX-License-Identifier: Apache-2.0
"""What a process loads is what it has a use for."""

from __future__ import annotations

import subprocess
import sys

_ASK = """
import sys
import moc_meter.cmd.agent
from moc_meter import plugins
for namespace in ('notification', 'poll.compute', 'poll.hardware', 'bus'):
    plugins.load(f'moc_meter.{namespace}')
print(*{name.partition('.')[0] for name in sys.modules})
"""


def test_an_agent_that_only_polls_has_no_library_of_others() -> None:
    """Each is of several MiB, on every compute node."""
    answer = subprocess.run([sys.executable, '-c', _ASK], check=True,
                            capture_output=True, text=True, timeout=60)
    loaded = set(answer.stdout.split())
    assert loaded >= {'moc_meter', 'kombu', 'psutil'}
    assert loaded.isdisjoint({'sqlalchemy', 'alembic', 'pecan',
                              'oslo_messaging', 'cryptography'})
